"""Fails when names of the C kernels can clash: guards of headers, constants, macros, what the linker sees."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNELS = ROOT / "Sources" / "CSiltKernels"
# Headers that are included again and again, by design: each has the same code for another level or width.
REPEATED = re.compile(r"(_body|_widths|^levels)\.h$")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
GUARD = re.compile(r"\s*#ifndef (\w+)\n#define (\w+)\n.*#endif\s*", re.DOTALL)
PART_GUARD = re.compile(r"^#ifndef (\w+)\n#define \1\n", re.MULTILINE)
MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
ENUM = re.compile(r"\benum\b\s*\w*\s*\{([^}]*)\}")
SYMBOL = re.compile(
    r"^define (?!.*\b(?:internal|private)\b)[^\n]*?@([\w.]+)\("
    r"|^@([\w.]+) = (?!.*\b(?:internal|private|external)\b)",
    re.MULTILINE,
)


def guard_of(path: Path) -> str:
    """silt_rans.h and rans.h would have the same, which is a fault: they cannot both be included."""
    name = re.sub(r"\W", "_", path.name).upper()
    return name if name.startswith("SILT_") else f"SILT_{name}"


def constants_of(code: str) -> list[str]:
    """Names of enum constants; none of their values has a comma or a brace."""
    return [part.split("=")[0].strip() for body in ENUM.findall(code) for part in body.split(",") if part.strip()]


def faults_of_names() -> list[str]:
    """Guards, and what headers define. A name that begins with SILT_ means one thing in the whole target."""
    faults = []
    defined: dict[str, list[str]] = {}
    for path in sorted(KERNELS.rglob("*.[ch]")):
        relative = path.relative_to(ROOT)
        code = COMMENT.sub("", path.read_text(encoding="utf-8"))
        is_public = path.parent.name == "include"
        if path.suffix == ".h" and not REPEATED.search(path.name):
            match = GUARD.fullmatch(code)
            if not match or match[1] != match[2]:
                faults.append(f"{relative}: has no guard around all of it")
            elif match[1] != guard_of(path):
                faults.append(f"{relative}: its guard is {match[1]}, not {guard_of(path)}")
        for guard in PART_GUARD.findall(code) if REPEATED.search(path.name) else []:
            if guard != guard_of(path):
                faults.append(f"{relative}: its guard is {guard}, not {guard_of(path)}")
        names = MACRO.findall(code) + constants_of(code)
        if is_public:
            bare = [name for name in names if not name.startswith("SILT_")]
            faults += [f"{relative}: {name} does not begin with SILT_" for name in bare]
        for name in names:
            if name.startswith("SILT_"):
                defined.setdefault(name, []).append(str(relative))
    twice = {name: paths for name, paths in defined.items() if len(paths) > 1}
    return faults + [f"{name} is defined in {' and in '.join(paths)}" for name, paths in twice.items()]


def clang() -> str:
    """The one in the path, or the one beside the Swift compiler."""
    found = shutil.which("clang")
    if found:
        return found
    swift = shutil.which("swift")
    beside = Path(swift).resolve().parent / "clang" if swift else None
    if beside is None or not beside.exists():
        sys.exit("kernels: no clang, which every Swift toolchain has")
    return str(beside)


def faults_of_symbols(compiler: str, path: Path) -> list[str]:
    """What the linker sees of a file, in clang's own language, so that nothing else is needed to read it."""
    command = [compiler, "-O0", "-S", "-emit-llvm", "-Werror=missing-prototypes", f"-I{KERNELS / 'include'}", "-o", "-"]
    result = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    relative = path.relative_to(ROOT)
    if result.returncode != 0:
        return [f"{relative}: does not compile:\n{result.stderr.strip()}"]
    names = [function or variable for function, variable in SYMBOL.findall(result.stdout)]
    names = [name for name in names if not name.startswith("silt_")]
    return [f"{relative}: {name} is external and does not begin with silt_" for name in names]


def main() -> int:
    sources = sorted(KERNELS.glob("*.c"))
    compiler = clang()
    faults = faults_of_names()
    with ThreadPoolExecutor() as pool:
        for found in pool.map(lambda path: faults_of_symbols(compiler, path), sources):
            faults += found
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"kernels: {len(sources)} files, {len(faults)} faults")
    return 1 if faults or not sources else 0


if __name__ == "__main__":
    sys.exit(main())
