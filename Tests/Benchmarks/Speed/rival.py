"""One rival in Python, in a process of its own: `rival.py TOOL THREADS encode BASE FINE DELTA` or `decode BASE DELTA OUT`.

Prints the seconds of the work, without the import of libraries. Tools get as many threads as they take; their other options
are those of the size benchmark (Size/rivals.py).
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "Size"))
from rivals import fireworks

Work = Callable[[Path, Path, Path], None]


def zipnn(threads: int) -> tuple[Work, Work]:
    """ZipNN, byte strings with a second one."""
    from zipnn import ZipNN

    def codec() -> ZipNN:
        return ZipNN(
            input_format="byte", bytearray_dtype="bfloat16", delta_compressed_type="byte", threads=threads
        )

    def encode(base: Path, fine: Path, delta: Path) -> None:
        data = codec().compress(bytearray(fine.read_bytes()), delta_second_data=base.read_bytes())
        delta.write_bytes(data)

    def decode(base: Path, delta: Path, output: Path) -> None:
        data = codec().decompress(delta.read_bytes(), delta_second_data=base.read_bytes())
        output.write_bytes(data)

    return encode, decode


def bigsmall(threads: int) -> tuple[Work, Work]:
    """bigsmall, `compress --delta-from` and `apply`."""
    from bigsmall import decoder, encoder

    def encode(base: Path, fine: Path, delta: Path) -> None:
        options = {"mode": "balanced", "workers": threads, "progress": False, "force_delta": True}
        encoder.compress_delta(fine, base, delta, **options)

    def decode(base: Path, delta: Path, output: Path) -> None:
        decoder.decompress_delta(delta, base, output, progress=False)

    return encode, decode


def z4ai(threads: int) -> tuple[Work, Work]:
    """z4ai, model delta; its decoder has no option for threads."""
    from z4ai import model_delta

    def encode(base: Path, fine: Path, delta: Path) -> None:
        model_delta.compress_file(str(fine), str(base), str(delta), threads=threads)

    def decode(base: Path, delta: Path, output: Path) -> None:
        model_delta.decompress_file(str(delta), str(base), str(output))

    return encode, decode


def torch_script(threads: int) -> tuple[Work, Work]:
    """What a Python user would write: subtract, save; load, add, save. Rounding makes it inexact."""
    import torch
    from safetensors.torch import load_file, save_file

    torch.set_num_threads(threads)

    def encode(base: Path, fine: Path, delta: Path) -> None:
        old, new = load_file(base), load_file(fine)
        save_file({name: tensor - old[name] for name, tensor in new.items()}, delta, {"format": "pt"})

    def decode(base: Path, delta: Path, output: Path) -> None:
        old, change = load_file(base), load_file(delta)
        save_file({name: tensor + change[name] for name, tensor in old.items()}, output, {"format": "pt"})

    return encode, decode


TOOLS: dict[str, Callable[[int], tuple[Work, Work]]] = {
    "zipnn": zipnn,
    "bigsmall": bigsmall,
    "z4ai": z4ai,
    "fireworks-arc2": lambda _: fireworks("arc_v2"),
    "fireworks-arc3": lambda _: fireworks("arc_v3"),
    "torch": torch_script,
}


def main(words: list[str]) -> None:
    """Runs one tool one way."""
    tool, threads, way, *files = words
    warnings.simplefilter("ignore")
    encode, decode = TOOLS[tool](int(threads))
    paths = [Path(file) for file in files]
    begin = time.perf_counter()
    (encode if way == "encode" else decode)(*paths)
    print(json.dumps({"seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main(sys.argv[1:])
