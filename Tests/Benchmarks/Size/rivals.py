"""The other tools, each behind one function that encodes and one that decodes.

Every tool runs in a process of its own: `rivals.py TOOL WORKDIR BASE... -- FINETUNED...` encodes, decodes,
compares byte for byte and prints one JSON object. Tools that know single files are applied shard by shard.
All rivals get one thread and their library's own defaults, except where a line here says otherwise.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bitx
from pairs import Checkpoint, main_dtype, read_header, read_tensors, strip_prefix

Encode = Callable[[Path, Path, Path], None]
Decode = Callable[[Path, Path, Path], None]


@dataclass(frozen=True)
class Tool:
    """A rival.

    `encode(base, fine, delta)` and `decode(base, delta, output)` work on one file each. `source` is the
    package or command whose version counts. `by_name` says that it looks tensors up by name: where the names
    differ by a prefix it is measured a second time, with a base whose tensors the harness renamed. Bump
    `revision` when the re-creation or the options change, so that cached results are dropped.
    """

    title: str
    source: str
    encode: Encode
    decode: Decode
    by_name: bool = False
    revision: int = 1


def command(*words: str | Path) -> None:
    """Runs a program quietly.

    Raises:
        RuntimeError: it failed; the message is its own.
    """
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        text = (result.stderr or result.stdout).strip().splitlines()
        raise RuntimeError(text[-1] if text else f"{words[0]}: exit {result.returncode}")


def zstd_encode(base: Path, fine: Path, delta: Path) -> None:
    """zstd with the base as a prefix. `--long=31` lets the window span both."""
    command("zstd", "-q", "-f", "-T1", "-19", "--long=31", f"--patch-from={base}", fine, "-o", delta)


def zstd_decode(base: Path, delta: Path, output: Path) -> None:
    """zstd with the base as a prefix."""
    command("zstd", "-q", "-f", "-d", "--long=31", f"--patch-from={base}", delta, "-o", output)


XDELTA_BUFFERS = ("-B", "1073741824", "-W", "16777216")


def xdelta_encode(base: Path, fine: Path, delta: Path) -> None:
    """xdelta3 at its best level, with a source window that holds the base."""
    command("xdelta3", "-q", "-f", "-e", "-9", *XDELTA_BUFFERS, "-s", base, fine, delta)


def xdelta_decode(base: Path, delta: Path, output: Path) -> None:
    """The way back."""
    command("xdelta3", "-q", "-f", "-d", *XDELTA_BUFFERS, "-s", base, delta, output)


def zipnn_codec(path: Path, delta: bool) -> Any:
    """ZipNN for byte strings; it wants to know the dtype that the file mostly has."""
    from zipnn import ZipNN

    names = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
    dtype = names.get(main_dtype(Checkpoint(path.name, (path,))), "bfloat16")
    options = {"delta_compressed_type": "byte"} if delta else {}
    return ZipNN(input_format="byte", bytearray_dtype=dtype, threads=1, **options)


def zipnn_encode(delta_mode: bool) -> Encode:
    """An encoder with or without the base."""

    def encode(base: Path, fine: Path, delta: Path) -> None:
        codec, data = zipnn_codec(base, delta_mode), bytearray(fine.read_bytes())
        other = {"delta_second_data": base.read_bytes()} if delta_mode else {}
        delta.write_bytes(bytes(codec.compress(data, **other)))

    return encode


def zipnn_decode(delta_mode: bool) -> Decode:
    """A decoder with or without the base."""

    def decode(base: Path, delta: Path, output: Path) -> None:
        other = {"delta_second_data": base.read_bytes()} if delta_mode else {}
        output.write_bytes(bytes(zipnn_codec(base, delta_mode).decompress(delta.read_bytes(), **other)))

    return decode


def bigsmall_encode(base: Path, fine: Path, delta: Path) -> None:
    """bigsmall, `compress --delta-from`. Without force_delta it may decline to look at the base."""
    from bigsmall import encoder

    encoder.compress_delta(fine, base, delta, mode="balanced", workers=1, progress=False, force_delta=True)


def bigsmall_decode(base: Path, delta: Path, output: Path) -> None:
    """bigsmall, `apply`."""
    from bigsmall import decoder

    decoder.decompress_delta(delta, base, output, progress=False)


def z4ai_encode(base: Path, fine: Path, delta: Path) -> None:
    """z4ai, model delta."""
    from z4ai import model_delta

    model_delta.compress_file(str(fine), str(base), str(delta), threads=1)


def z4ai_decode(base: Path, delta: Path, output: Path) -> None:
    """z4ai, model delta."""
    from z4ai import model_delta

    model_delta.decompress_file(str(delta), str(base), str(output))


def fireworks(form: str) -> tuple[Encode, Decode]:
    """Both ways of one of fireworks' formats.

    With `must_match=False` it would drop new tensors without a word, so this uses the default, which refuses
    them. It decodes by changing a copy of the base in place.
    """

    def encode(base: Path, fine: Path, delta: Path) -> None:
        from fireworks_delta_compression.compression import delta_compress_files_to_file

        files = {"src": str(base), "dst": str(fine), "diff_file": str(delta)}
        delta_compress_files_to_file(**files, compression_format=form)

    def decode(base: Path, delta: Path, output: Path) -> None:
        from fireworks_delta_compression.compression import delta_decompress_inplace

        shutil.copyfile(base, output)
        delta_decompress_inplace(base_path=str(output), diff_path=str(delta), compression_format=form)

    return encode, decode


FIREWORKS = "fireworks-delta-compression"
TOOLS: dict[str, Tool] = {
    **{f"bitx-{n}": Tool(f"BitX, zstd -{n}", "zstandard", bitx.encoder(n), bitx.decode) for n in (1, 3, 19)},
    "zstd-patch": Tool("zstd -19 --patch-from", "zstd", zstd_encode, zstd_decode),
    "xdelta3": Tool("xdelta3 -9", "xdelta3", xdelta_encode, xdelta_decode),
    "zipnn-delta": Tool("ZipNN, delta", "zipnn", zipnn_encode(True), zipnn_decode(True)),
    "zipnn": Tool("ZipNN, no base", "zipnn", zipnn_encode(False), zipnn_decode(False)),
    "bigsmall": Tool("bigsmall", "bigsmall", bigsmall_encode, bigsmall_decode, by_name=True),
    "z4ai": Tool("z4ai", "z4ai", z4ai_encode, z4ai_decode, by_name=True),
    **{f"fireworks-arc{n}": Tool(f"fireworks arc_v{n}", FIREWORKS, *fireworks(f"arc_v{n}")) for n in (2, 3)},
}


def version(tool: str) -> str | None:
    """Version of the package or command behind a tool; nothing where it is not installed."""
    source = TOOLS[tool].source
    if source in ("zstd", "xdelta3"):
        if shutil.which(source) is None:
            return None
        flag = "--version" if source == "zstd" else "-V"
        result = subprocess.run([source, flag], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+\.\d+", result.stdout + result.stderr)
        return found.group() if found else "unknown"
    try:
        return importlib.metadata.version(source)
    except importlib.metadata.PackageNotFoundError:
        return None


def rename_base(base: Path, fine: Path, output: Path) -> bool:
    """Writes the base again with the fine-tuned model's names; False if the names agree already."""
    old, new = read_header(base)[1], read_header(fine)[1]
    wanted = {strip_prefix(name): name for name in new if name != "__metadata__"}
    mapped = [name if name in new else wanted.get(strip_prefix(name), name) for name in old]
    renamed = dict(zip(mapped, old.values(), strict=True))
    if list(renamed) == list(old) or len(renamed) != len(old):
        return False
    header = json.dumps(renamed, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with base.open("rb") as source, output.open("wb") as target:
        (length,) = struct.unpack("<Q", source.read(8))
        source.seek(8 + length)
        target.write(struct.pack("<Q", len(header)) + header)
        shutil.copyfileobj(source, target, 1 << 20)
    return True


def compare(fine: Path, output: Path) -> str:
    """`identical`, or what differs."""
    if fine.read_bytes() == output.read_bytes():
        return "identical"
    try:
        wanted = {record.name: record for record in read_tensors(fine)}
        got = {record.name: record for record in read_tensors(output)}
    except (OSError, ValueError, KeyError, struct.error):
        return "not identical: no safetensors file"
    lost = wanted.keys() - got.keys()
    if lost:
        return f"not identical: {len(lost)} tensors lost"
    wrong = sum(got[name] != record for name, record in wanted.items())
    return (
        f"not identical: {wrong} tensors wrong" if wrong else "not identical: tensors equal, header differs"
    )


def measure(tool: str, base: list[Path], fine: list[Path], work: Path) -> dict[str, Any]:
    """Encodes, decodes and compares all shards of a pair."""
    entry = TOOLS[tool]
    row: dict[str, Any] = {"bytes": 0, "encode_seconds": 0.0, "decode_seconds": 0.0, "result": "identical"}
    try:
        for index, (old, new) in enumerate(zip(base, fine, strict=True)):
            delta, output = work / f"{index}.delta", work / f"{index}.safetensors"
            begin = time.perf_counter()
            entry.encode(old, new, delta)
            middle = time.perf_counter()
            entry.decode(old, delta, output)
            end = time.perf_counter()
            row["bytes"] += delta.stat().st_size
            row["encode_seconds"] += middle - begin
            row["decode_seconds"] += end - middle
            verdict = compare(new, output)
            if verdict != "identical":
                row["result"] = verdict
    except Exception as error:  # noqa: BLE001 - whatever a rival raises is its answer
        return {"refused": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}
    return row


def main(arguments: list[str]) -> None:
    """Runs one tool and prints its row as the last line."""
    tool, work, *files = arguments
    cut = files.index("--")
    warnings.simplefilter("ignore")
    row = measure(tool, [Path(f) for f in files[:cut]], [Path(f) for f in files[cut + 1 :]], Path(work))
    print(json.dumps(row))


if __name__ == "__main__":
    main(sys.argv[1:])
