"""Fails when a source file breaks the layers: imports that go up or sideways, Foundation, output and flags below the
command, length."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LEVELS = {
    **dict.fromkeys(("CZstd", "CLZ4", "CXXHash", "COpenBLAS", "CMalloc", "CCrypto", "CSiltKernels"), 0),
    **dict.fromkeys(("TensorTypes", "SystemCalls"), 1),
    **dict.fromkeys(("ByteSources", "Processes", "DeltaKernels", "DeltaCodecs", "Workers"), 2),
    **dict.fromkeys(("Safetensors", "DeltaPruning"), 3),
    **dict.fromkeys(("SiltFormat", "Transformers"), 4),
    **dict.fromkeys(("SiltReading", "SiltMatching"), 5),
    **dict.fromkeys(("SiltPacking", "SiltEvaluation"), 6),
    **dict.fromkeys(("SiltAdapters", "SiltTraining", "SiltTuning"), 7),
    **dict.fromkeys(("SiltInterop", "SiltReports"), 8),
    "Silt": 9,
    "SiltCommand": 10,
}
COMMAND = "SiltCommand"
LINES = 330
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+"
    r"(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(\w+)",
    re.MULTILINE,
)
OUTPUT = re.compile(r"(?:(?<![\w.])|\b(?:Swift|Glibc|Musl|Darwin)\.)(print\s*\(|getenv\b|_?exit\s*\()")
#: A word of the command line in a text; style sheets have the same form, in `var(--word)` and `--word:`.
FLAG = re.compile(r"(?<![\w(-])--[a-z][a-z-]*(?![\w-]*:)")
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
TARGET = re.compile(
    r"\.(?:target|executableTarget|systemLibrary)\(\s*name:\s*\"(\w+)\"(.*?)(?=\n        \.|\n        //|\Z)", re.DOTALL
)


def code_of(text: str) -> str:
    """The text without strings and comments, on the same lines."""
    text = STRING.sub('""', text)
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL)
    return re.sub(r"//.*", "", text)


def faults_of_file(path: Path, target: str) -> list[str]:
    text = path.read_text(encoding="utf-8")
    faults = []
    length = text.count("\n")
    if length > LINES:
        faults.append(f"has {length} lines; at most {LINES} are allowed")
    if path.suffix != ".swift":
        return faults
    code = code_of(text)
    for name in IMPORT.findall(code):
        if name.startswith("Foundation"):
            faults.append(f"imports {name}")
        elif name in LEVELS and LEVELS[name] >= LEVELS[target]:
            faults.append(f"imports {name} (level {LEVELS[name]}) from {target} (level {LEVELS[target]})")
    if target != COMMAND:
        lines = (re.sub(r"(?:^|\s)//.*", "", line) for line in text.split("\n"))
        faults += [f"names the flag {flag} (see OptionName)" for line in lines for flag in FLAG.findall(line)]
        faults += [f"uses {use.strip()}" for use in OUTPUT.findall(code)]
    return faults


def faults_of_package() -> list[str]:
    """What Package.swift allows must go down too, and every target must have a level."""
    text = (ROOT / "Package.swift").read_text(encoding="utf-8")
    faults = []
    seen = set()
    for name, rest in TARGET.findall(text):
        if "path:" in rest:
            continue
        seen.add(name)
        if name not in LEVELS:
            faults.append(f"Package.swift: {name} has no level")
            continue
        dependencies = re.search(r"dependencies:\s*\[(.*?)\]", rest, re.DOTALL)
        for used in re.findall(r'"(\w+)"', dependencies.group(1) if dependencies else ""):
            if LEVELS.get(used, -1) >= LEVELS[name]:
                faults.append(f"Package.swift: {name} (level {LEVELS[name]}) depends on {used} (level {LEVELS[used]})")
    faults += [f"Package.swift: {name} is missing" for name in LEVELS if name not in seen]
    return faults


def main() -> int:
    faults = faults_of_package()
    files = 0
    for path in sorted((ROOT / "Sources").rglob("*")):
        if path.suffix not in {".swift", ".c", ".h"}:
            continue
        relative = path.relative_to(ROOT)
        target = relative.parts[1]
        files += 1
        if target not in LEVELS:
            faults.append(f"{relative}: its target has no level")
            continue
        faults += [f"{relative}: {fault}" for fault in faults_of_file(path, target)]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"layers: {files} files, {len(faults)} faults")
    return 1 if faults or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
