"""The public API of what is built: writes its listing (Tests/API), or fails where that differs or a doc comment lacks."""

from __future__ import annotations

import argparse
import difflib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LISTINGS = ROOT / "Tests" / "API"
KIND = r"(?:(?:class|struct|enum|protocol|typealias|func|let|var) )?"
EXPORT = re.compile(rf"^@_exported public import {KIND}(\w+)(?:\.(\w+))?$", re.MULTILINE)


def modules() -> dict[str, set[str]]:
    """The modules that the products show, and of those that `import Silt` shows in part, the names that it does."""
    shown: dict[str, set[str]] = {"Safetensors": set(), "Silt": set()}
    for path in sorted((ROOT / "Sources" / "Silt").glob("*.swift")):
        for module, name in EXPORT.findall(path.read_text(encoding="utf-8")):
            if module == "Safetensors":
                continue
            names = shown.setdefault(module, set())
            if name:
                names.add(name)
    return shown


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def extract(module: str, build: Path, directory: Path) -> dict[str, Any]:
    """The symbol graph of a module that is built."""
    target = json.loads(output("swiftc", "-print-target-info"))["target"]["unversionedTriple"]
    maps = [*sorted(ROOT.glob("Sources/C*/module.modulemap")), *sorted(build.glob("*.build/module.modulemap"))]
    flags = [flag for path in maps for flag in ("-Xcc", f"-fmodule-map-file={path}")]
    command = [
        "swift-symbolgraph-extract", "-module-name", module, "-target", target, "-I", str(build / "Modules"), *flags,
        "-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", str(directory),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    path = directory / f"{module}.symbols.json"
    if result.returncode != 0 or not path.exists():
        sys.exit(f"api: cannot read {module} (is it built?):\n{result.stderr.strip()}")
    graph: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return graph


def declaration(symbol: dict[str, Any]) -> str:
    return " ".join("".join(part["spelling"] for part in symbol["declarationFragments"]).split())


def listing(graph: dict[str, Any], only: set[str]) -> tuple[list[str], list[str]]:
    """A line for each symbol and each conformance, and the symbols that nothing is said of."""
    names = {symbol["identifier"]["precise"]: ".".join(symbol["pathComponents"]) for symbol in graph["symbols"]}
    if only:
        names = {key: name for key, name in names.items() if name.split(".")[0] in only}
    # What a protocol asks for has its documentation there.
    inherited = {edge["source"] for edge in graph["relationships"] if "sourceOrigin" in edge}
    lines, silent = set(), []
    for symbol in graph["symbols"]:
        identifier = symbol["identifier"]["precise"]
        if identifier not in names:
            continue
        lines.add(f"{names[identifier]}: {declaration(symbol)}")
        if "docComment" not in symbol and identifier not in inherited:
            silent.append(names[identifier])
    for edge in graph["relationships"]:
        if edge["kind"] == "conformsTo" and edge["source"] in names:
            protocol = names.get(edge["target"]) or edge.get("targetFallback", edge["target"]).removeprefix("Swift.")
            lines.add(f"{names[edge['source']]}: {protocol}")
    return sorted(lines), sorted(silent)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the listing")
    parser.add_argument("--build", type=Path, help="where Swift's modules are (default: the release build)")
    arguments = parser.parse_args()
    build = arguments.build or Path(output("swift", "build", "-c", "release", "--show-bin-path"))
    public = modules()
    faults: list[str] = []
    count = 0
    LISTINGS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        for module, only in sorted(public.items()):
            lines, silent = listing(extract(module, build, Path(directory)), only)
            count += len(lines)
            faults += [f"{module}: {path} has no doc comment" for path in silent]
            path = LISTINGS / f"{module}.txt"
            if arguments.write:
                path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
                continue
            committed = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
            changes = difflib.unified_diff(committed, lines, f"{path.relative_to(ROOT)}", "what is built", lineterm="", n=0)
            faults += list(changes)
    known = {f"{module}.txt" for module in public}
    faults += [f"Tests/API/{path.name} is of no public module" for path in sorted(LISTINGS.iterdir()) if path.name not in known]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults and not arguments.write:
        print("api: write the listing anew with: make api", file=sys.stderr)
    print(f"api: {count} symbols, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
