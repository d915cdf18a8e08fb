"""Fails when folders of one target use each other in a circle: inside a target the data go one way too.

A folder uses another one if a file in it names a type that is declared at the top of a file in the other.
Names that several folders declare say nothing and are left out.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from layers import code_of

ROOT = Path(__file__).resolve().parents[2] / "Sources"
TYPE = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|final|indirect)\s+)*(?:struct|class|enum|protocol|typealias)\s+(\w+)",
    re.MULTILINE,
)
NAME = re.compile(r"(?<!\.)\b[A-Z]\w+\b")


def folder_of(path: Path, target: Path) -> str:
    """The folder at the top of the target that a file is in; empty for a file beside the folders."""
    parts = path.relative_to(target).parts
    return parts[0] if len(parts) > 1 else ""


def uses_of(target: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """For each folder the folders that it uses, with a file and a name that show it."""
    texts = {path: code_of(path.read_text(encoding="utf-8")) for path in sorted(target.rglob("*.swift"))}
    homes: dict[str, set[str]] = defaultdict(set)
    for path, text in texts.items():
        for name in TYPE.findall(text):
            homes[name].add(folder_of(path, target))
    uses: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    for path, text in texts.items():
        folder = folder_of(path, target)
        for name in sorted(set(NAME.findall(text))):
            home = homes.get(name, set())
            if len(home) == 1 and folder not in home:
                uses[folder].setdefault(next(iter(home)), (path.name, name))
    return uses


def circles_of(uses: dict[str, dict[str, tuple[str, str]]]) -> list[list[str]]:
    """Groups of folders that reach each other."""
    reach: dict[str, set[str]] = {}
    for start in uses:
        seen: set[str] = set()
        todo = [start]
        while todo:
            for folder in uses.get(todo.pop(), {}):
                if folder not in seen:
                    seen.add(folder)
                    todo.append(folder)
        reach[start] = seen
    groups: list[list[str]] = []
    done: set[str] = set()
    for folder in sorted(reach):
        if folder in done or folder not in reach[folder]:
            continue
        group = sorted(other for other in reach if other in reach[folder] and folder in reach[other])
        done.update(group)
        groups.append(group)
    return groups


def main() -> int:
    circles = 0
    for target in sorted(path for path in ROOT.iterdir() if path.is_dir()):
        uses = uses_of(target)
        for group in circles_of(uses):
            circles += 1
            print(f"{target.name}: a circle of {', '.join(name or '(top)' for name in group)}", file=sys.stderr)
            for folder in group:
                for other, (file, name) in sorted(uses[folder].items()):
                    if other in group:
                        print(f"  {folder or '(top)'} uses {other or '(top)'}: {name} in {file}", file=sys.stderr)
    print(f"folders: {circles} circles")
    return 1 if circles else 0


if __name__ == "__main__":
    sys.exit(main())
