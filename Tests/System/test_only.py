"""unpack --only: chosen tensors into one safetensors file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from checkpoints import random_tensor, read_safetensors, small_model, tuned_model, write_model, write_sharded
from program import CANNOT_CREATE, FAILED, MALFORMED, MISSING, USAGE, Packed, Silt, listing


@pytest.mark.parametrize(
    "pattern", ["attention", r"^embeddings\..*weight$", r"layer\.0\.(output|Layer)", "."]
)
def test_chosen_tensors(silt: Silt, small: Packed, tmp_path: Path, pattern: str) -> None:
    """These tensors, bit for bit, and no other, in a valid file."""
    output = tmp_path / "some.safetensors"
    silt.unpack(small.base, small.file, output, "--only", pattern)
    whole = read_safetensors(small.fine / "model.safetensors")
    wanted = {name: tensor for name, tensor in whole.items() if re.search(pattern, name)}
    assert wanted
    assert read_safetensors(output) == wanted
    assert listing(tmp_path) == {"some.safetensors"}


def test_across_shards(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Tensors of several shards meet in one file; whole, resized and empty ones too."""
    model = small_model(rng)
    new = tuned_model(rng, model) | {
        "head.w": random_tensor(rng, "F32", (5, 3)),
        "head.e": random_tensor(rng, "F16", (0,)),
    }
    base = write_model(tmp_path / "base", model)
    fine = write_sharded(tmp_path / "fine", new, 3)
    silt.pack(base, fine, tmp_path / "m.silt")
    silt.unpack(base, tmp_path / "m.silt", tmp_path / "some.safetensors", "--only", "head|dense|query")
    wanted = {name: tensor for name, tensor in new.items() if re.search("head|dense|query", name)}
    assert read_safetensors(tmp_path / "some.safetensors") == wanted


def test_safetensors_package_reads_it(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """The reference reader accepts the file."""
    safetensors = pytest.importorskip("safetensors")
    output = tmp_path / "some.safetensors"
    silt.unpack(small.base, small.file, output, "--only", "query")
    with safetensors.safe_open(output, framework="numpy") as file:
        assert len(list(file.keys())) == 2


def test_nothing_matches(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """An error, and no file."""
    silt.exits(
        (FAILED, MISSING), "unpack", small.base, small.file, "-o", tmp_path / "x", "--only", "^nothing$"
    )
    assert listing(tmp_path) == set()


def test_bad_pattern(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """A pattern that is no regular expression is a mistake of the command line."""
    silt.exits(USAGE, "unpack", small.base, small.file, "-o", tmp_path / "x", "--only", "(")
    assert listing(tmp_path) == set()


def test_output_exists(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """As always: refused without --force."""
    output = tmp_path / "x.safetensors"
    output.write_text("precious")
    silt.exits(CANNOT_CREATE, "unpack", small.base, small.file, "-o", output, "--only", "query")
    assert output.read_text() == "precious"
    silt.unpack(small.base, small.file, output, "--only", "query", "--force")
    assert len(read_safetensors(output)) == 2


def test_reads_only_what_it_needs(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Damage in another tensor's payload does not matter; damage in the chosen one does."""
    data = bytearray(small.file.read_bytes())
    size = int.from_bytes(data[:8], "little")
    begin, end = json.loads(data[8 : 8 + size])["silt.payload"]["data_offsets"]
    data[8 + size + (begin + end) // 2] ^= 0xFF
    damaged = tmp_path / "m.silt"
    damaged.write_bytes(data)
    codes = []
    for index, name in enumerate(read_safetensors(small.fine / "model.safetensors")):
        output = tmp_path / f"{index}.safetensors"
        words = ["unpack", small.base, damaged, "-o", output, "--only", f"^{re.escape(name)}$"]
        codes.append(silt.run(*words).returncode)
    assert codes.count(0) >= 1, codes
    assert set(codes) <= {0, MALFORMED}
