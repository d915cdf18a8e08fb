"""Rebuild a fine-tuned checkpoint from its base and a Silt file.

    python3 silt_reader.py BASE FILE.silt -o OUT              rebuild
    python3 silt_reader.py BASE FILE.silt --check FINETUNED   rebuild in memory and compare every file
    python3 silt_reader.py FILE.silt --list                   say what is inside; needs no base

BASE is a .safetensors file or a directory; so are OUT and FINETUNED, as the file's `form` has it. Exit
status: 0 ok, 1 a file differs, 65 the file or the base was refused (with the error class of section 9 and a
sentence), 74 a file cannot be read or written.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from silt import Base, SiltError, read_container, read_manifest, rebuild
from silt.coverage import check_coverage
from silt.manifest import Part, Tensor

EXIT_DIFFERS, EXIT_REFUSED, EXIT_IO = 1, 65, 74


def rebuild_files(base: Path, silt: Path) -> tuple[str, dict[str, bytes]]:
    """The form of a result, and all its files with their bytes, every digest checked."""
    container = read_container(silt.read_bytes())
    manifest = read_manifest(container)
    return manifest.form, dict(rebuild(container, manifest, Base(base)))


def write(form: str, files: dict[str, bytes], out: Path) -> None:
    """Write the result beside its place, then give it its name in one step."""
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
        staged = Path(scratch) / "result"
        if form == "file":
            staged.write_bytes(next(iter(files.values())))
        else:
            staged.mkdir()
            for path, data in files.items():
                (staged / path).parent.mkdir(parents=True, exist_ok=True)
                (staged / path).write_bytes(data)
        staged.rename(out)


def compare(form: str, files: dict[str, bytes], finetuned: Path) -> list[str]:
    """The paths at which the result and the fine-tuned checkpoint differ."""
    if form == "file":
        return [] if finetuned.read_bytes() == next(iter(files.values())) else [str(finetuned)]
    there = {path.relative_to(finetuned).as_posix() for path in finetuned.rglob("*") if path.is_file()}
    both = there & files.keys()
    return sorted((there ^ files.keys()) | {p for p in both if (finetuned / p).read_bytes() != files[p]})


def describe_part(part: Part) -> str:
    """The kind of a part, what it refers to besides the base, and its elements."""
    over = "".join(f" on {component.kind}" for component in part.components)
    return f"{part.kind}{over}({part.end - part.start})"


def describe_sources(tensor: Tensor) -> str:
    """What predicts a tensor, where that is more than one tensor of the base's model."""
    places = [" of the result" if s.tensor else f" of {s.file!r}" if s.file else "" for s in tensor.sources]
    if len(tensor.runs) < 2 and not any(places):
        return ""
    names = ", ".join(s.name + place for s, place in zip(tensor.sources, places, strict=True))
    return f" from {len(tensor.runs)} run{'s' * (len(tensor.runs) > 1)} of {names}"


def describe(silt: Path) -> list[str]:
    """A line for the result, for each of its files and for each of its tensors."""
    container = read_container(silt.read_bytes())
    manifest = read_manifest(container)
    check_coverage(container, manifest)
    root = manifest.result["root"]
    what = f"{manifest.contract} {manifest.form} of {len(manifest.files)} files"
    lines = [f"{what} by {manifest.writer!r}, root {root or 'unknown'}"]
    for file in manifest.files:
        lines.append(f"{file.kind:11} {file.bytes:12} {file.path}")
        for tensor in file.tensors:
            kinds = " + ".join(map(describe_part, tensor.parts)) or "empty"
            shape = "x".join(map(str, tensor.info.shape)) or "scalar"
            lines.append(f"    {tensor.info.dtype:11} {shape:14} {tensor.info.name}: {kinds}{describe_sources(tensor)}")
    return lines


def act(options: argparse.Namespace) -> int:
    """Do what the command line says; the exit status."""
    if options.list:
        print("\n".join(describe(options.paths[0])))
        return 0
    form, files = rebuild_files(*options.paths)
    if options.out is not None:
        write(form, files, options.out)
        return 0
    differing = compare(form, files, options.finetuned)
    print("\n".join(f"differs: {path}" for path in differing) or f"{len(files)} files are equal")
    return EXIT_DIFFERS if differing else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="An independent reader of the Silt format.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="[BASE] FILE.silt")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("-o", dest="out", type=Path, help="rebuild the result here")
    action.add_argument("--check", dest="finetuned", type=Path, help="compare the result with this")
    action.add_argument("--list", action="store_true", help="list files and tensors")
    options = parser.parse_args()
    if len(options.paths) != (1 if options.list else 2):
        parser.error("--list takes FILE.silt; the others take BASE and FILE.silt")
    try:
        return act(options)
    except SiltError as error:
        print(f"{error.error_class}: {error.message}", file=sys.stderr)
        return EXIT_REFUSED
    except OSError as error:
        print(error, file=sys.stderr)
        return EXIT_IO


if __name__ == "__main__":
    sys.exit(main())
