"""Runs mypy over all Python of the repository, a group of directories at a time: modules of one name are not one module.

The independent reader, which is what the format means, is checked strictly; the rest as Tests/Lint/mypy.ini says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READER, BENCHMARKS = "Formats/Reader", "Tests/Benchmarks"
# numpy's indexing and JSON give Any: what comes of them is returned as what it is.
STRICT = ("--strict", "--no-warn-return-any")
#: What is checked in one run, where else it imports from, and how strictly.
GROUPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    READER: ((), STRICT),
    "Formats/Vectors": ((READER,), ()),
    "Tests/System": ((READER,), ()),
    "Tests/Peers": ((), ()),
    "Tests/Lint": ((), STRICT),
    f"{BENCHMARKS}/Accuracy": ((), ()),
    f"{BENCHMARKS}/Memory": ((), ()),
    f"{BENCHMARKS}/Size": ((), ()),
    f"{BENCHMARKS}/Speed": ((f"{BENCHMARKS}/Size", f"{BENCHMARKS}/Memory"), ()),
    f"{BENCHMARKS}/Training": ((), ()),
}


def strangers() -> list[str]:
    """Directories with Python that no group has."""
    places = {
        str(path.parent.relative_to(ROOT)) for top in ("Formats", "Tests") for path in (ROOT / top).rglob("*.py")
    }
    return sorted(place for place in places if place not in GROUPS and not place.startswith(f"{READER}/"))


def main() -> int:
    """Checks every group, and says how many failed."""
    failed = strangers()
    for place in failed:
        print(f"{place}: in no group of {Path(__file__).name}", file=sys.stderr)
    for place, (imports, options) in GROUPS.items():
        command = [sys.executable, "-m", "mypy", "--config-file", "Tests/Lint/mypy.ini", "--no-error-summary"]
        environment = os.environ | {"MYPYPATH": ":".join(imports)}
        if subprocess.run([*command, *options, place], cwd=ROOT, env=environment, check=False).returncode != 0:
            failed.append(place)
    print(f"types: {len(GROUPS)} groups, {len(failed)} with faults")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
