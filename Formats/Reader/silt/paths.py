"""Section 4.5: paths."""

from __future__ import annotations

from .errors import require


def check_path(path: str, where: str) -> str:
    """The path itself, if section 4.5 allows it."""
    raw = path.encode("utf-8")
    require(1 <= len(raw) <= 4_096, "path", f"{where}: a path of {len(raw)} bytes")
    clean = all(byte >= 32 and byte not in b"\x7f\\" for byte in raw)
    require(clean, "path", f"{where}: {path!r} has a control character or a backslash")
    require(raw.count(b"/") < 64, "path", f"{where}: {path!r} has more than 64 components")
    for component in raw.split(b"/"):
        good = 1 <= len(component) <= 255 and component not in (b".", b"..")
        require(good, "path", f"{where}: {path!r} has a component of no, too many, or only . or .. bytes")
    return path


def check_tree(paths: list[str]) -> None:
    """No path twice, and none that is a directory of another."""
    seen = set(paths)
    require(len(seen) == len(paths), "path", "a path appears twice")
    for path in paths:
        for end, character in enumerate(path):
            clash = character == "/" and path[:end] in seen
            require(not clash, "path", f"{path[:end]!r} is a file and a directory")
