"""Running the silt program and the independent reader, and comparing what they leave behind."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from checkpoints import Tensors, read_safetensors

ROOT = Path(__file__).resolve().parents[2]

sys.path.append(str(ROOT / "Formats" / "Reader"))
from silt_reader import compare, rebuild_files  # noqa: E402

OK, DIFFERS, FAILED = 0, 1, 2
USAGE, MALFORMED, MISSING, CANNOT_CREATE, IO_ERROR, INTERRUPTED = 64, 65, 66, 73, 74, 130

Result = subprocess.CompletedProcess[str]


def program_path() -> Path:
    """The program under test: the environment variable SILT, else the release build."""
    return Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of every file below a directory by relative path, or of the one file."""
    if path.is_file():
        return {"": digest(path)}
    return {str(file.relative_to(path)): digest(file) for file in sorted(path.rglob("*")) if file.is_file()}


@dataclass(frozen=True)
class Packed:
    """A base, a fine-tuned checkpoint and the Silt file of both."""

    base: Path
    fine: Path
    file: Path


@dataclass(frozen=True)
class Lossy:
    """A lossy Silt file: the report of pack, the file, and what was unpacked."""

    report: dict
    file: Path
    output: Path

    @property
    def tensors(self) -> Tensors:
        """The rebuilt tensors."""
        model = self.output if self.output.is_file() else self.output / "model.safetensors"
        return read_safetensors(model)


@dataclass(frozen=True)
class Silt:
    """The program, with shorthands for what tests do all the time."""

    path: Path

    def run(
        self, *words: object, timeout: float = 600, preexec_fn: Callable[[], None] | None = None
    ) -> Result:
        """Runs it with captured output. A signal shows as a negative exit code."""
        command = [str(self.path), *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, check=False, preexec_fn=preexec_fn
        )

    def ok(self, *words: object, **options: Any) -> Result:
        """Runs it and insists on success."""
        return self.exits(OK, *words, **options)

    def exits(self, codes: int | tuple[int, ...], *words: object, **options: Any) -> Result:
        """Runs it and insists on an exit code (or one of several) and, if it is a failure, on a message."""
        result = self.run(*words, **options)
        wanted = codes if isinstance(codes, tuple) else (codes,)
        text = f"silt {' '.join(map(str, words))}: exit {result.returncode}, not {codes}\n{result.stderr}"
        assert result.returncode in wanted, text
        if result.returncode > DIFFERS and "--quiet" not in words:
            assert "error:" in result.stderr.lower(), f"no message: {result.stderr!r}"
        return result

    def json(self, *words: object) -> dict:
        """Runs it with --json and parses the one object that it prints."""
        result = self.ok(*words, "--json")
        value = json.loads(result.stdout)
        assert isinstance(value, dict)
        return value

    def pack(self, base: Path, fine: Path, output: Path, *options: object, check: bool = True) -> dict:
        """Packs and, unless told not to, asks the independent reader. The report of --json."""
        report = self.json("pack", base, fine, "-o", output, *options)
        if check:
            check_with_reader(base, output, fine)
        return report

    def unpack(self, base: Path, packed: Path, output: Path, *options: object) -> Result:
        """Unpacks."""
        return self.ok("unpack", base, packed, "-o", output, *options)

    def lossy(self, base: Path, fine: Path, work: Path, *options: object) -> Lossy:
        """Packs by a lossy method, unpacks, asks the independent reader, verifies against the fine-tune."""
        work.mkdir(parents=True, exist_ok=True)
        packed, output = work / "model.silt", work / "unpacked"
        report = self.json("pack", base, fine, "-o", packed, *options)
        assert report["contract"] == "lossy"
        assert report["bytes"] == packed.stat().st_size
        self.unpack(base, packed, output)
        check_with_reader(base, packed, output)
        found = self.json("verify", base, packed, "--against", fine)
        assert found["identical"] is True and found["unknown_digests"] == 0
        return Lossy(report, packed, output)

    def round_trip(self, base: Path, fine: Path, work: Path, *options: object) -> dict:
        """Packs, asks the independent reader, unpacks, compares all files, verifies. The report of pack."""
        packed, output = work / "model.silt", work / "unpacked"
        report = self.pack(base, fine, packed, *options)
        assert report["bytes"] == packed.stat().st_size
        self.unpack(base, packed, output)
        assert digests(output) == digests(fine)
        assert self.json("verify", base, packed, "--against", fine)["identical"] is True
        assert self.json("verify", base, packed)["identical"] is True
        return report


def check_with_reader(base: Path, packed: Path, fine: Path) -> None:
    """The independent reader must rebuild the same files. In this process: starting another takes longer."""
    form, files = rebuild_files(base, packed)
    assert not compare(form, files, fine), "the independent reader gives other files"


def listing(directory: Path) -> set[str]:
    """Names of everything below a directory: to see whether a failed run left something."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def silt_entries(path: Path) -> dict[str, bytes]:
    """The entries of a Silt file by name: payload, chunk table, manifest (still compressed)."""
    return {name: tensor.data for name, tensor in read_safetensors(path).items()}


def manifest_of(path: Path) -> dict:
    """The manifest of a Silt file."""
    return json.loads(zstandard.decompress(silt_entries(path)["silt.manifest"]))


def chunks_of(path: Path) -> list[bytes]:
    """The chunks of a Silt file."""
    entries = silt_entries(path)
    ends = itertools.accumulate((size for (size,) in struct.iter_unpack("<I8x", entries["silt.chunks"])), initial=0)
    return [entries["silt.payload"][start:end] for start, end in itertools.pairwise(ends)]


def manifest_tensors(path: Path) -> dict[str, dict]:
    """The tensors of a Silt file's manifest by name."""
    files = manifest_of(path)["files"]
    return {name: tensor for file in files for name, tensor in file.get("tensors", {}).items()}


def flags(options: dict | None, calibration: object = None, validation: object = None, examples: object = None) -> list[str]:
    """What `silt pack` is given for the `options` of a report; data where they need some."""
    words: list[str] = []
    for key, value in (options or {}).items():
        flag = "--q" if key == "rule" else "--" + key.replace("_", "-")
        plain = int(value) if isinstance(value, float) and value.is_integer() else value
        words += [flag] if value is True else [f"{flag}={plain}"]
    needs = options is not None and ("rule" in options or options["method"] == "wanda" or "curvature" in options)
    if needs and calibration is not None:
        words += ["--calibration", str(calibration)]
        words += ["--validation", str(validation)] if (options or {}).get("rule") == "labelled" and validation else []
        words += ["--examples", str(examples)] if examples else []
    return words
