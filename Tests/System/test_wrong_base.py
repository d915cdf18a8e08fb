"""Another base is refused by naming the tensor, before anything appears; an equal one is accepted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from checkpoints import (
    Tensor,
    Tensors,
    read_safetensors,
    write_model,
    write_safetensors,
    write_sharded,
)
from program import MALFORMED, MISSING, USAGE, Packed, Silt, digests, listing

VICTIM = "encoder.layer.0.output.dense.weight"


def missing_tensor(model: Tensors) -> Tensors:
    """Without the tensor."""
    return {name: tensor for name, tensor in model.items() if name != VICTIM}


def other_shape(model: Tensors) -> Tensors:
    """With the extents swapped."""
    tensor = model[VICTIM]
    return model | {VICTIM: Tensor(tensor.dtype, tensor.shape[::-1], tensor.data)}


def other_dtype(model: Tensors) -> Tensors:
    """The same bytes under another dtype."""
    tensor = model[VICTIM]
    return model | {VICTIM: Tensor("F16", tensor.shape, tensor.data)}


def other_content(model: Tensors) -> Tensors:
    """One bit changed."""
    tensor = model[VICTIM]
    data = bytearray(tensor.data)
    data[len(data) // 2] ^= 0x01
    return model | {VICTIM: Tensor(tensor.dtype, tensor.shape, bytes(data))}


CHANGES: list[tuple[Callable[[Tensors], Tensors], str]] = [
    (missing_tensor, "base-missing"),
    (other_shape, "base-shape"),
    (other_dtype, "base-dtype"),
    (other_content, "base-content"),
]


@pytest.mark.parametrize(("change", "error"), CHANGES, ids=[error for _, error in CHANGES])
def test_wrong_base(
    silt: Silt, small: Packed, tmp_path: Path, change: Callable[[Tensors], Tensors], error: str
) -> None:
    """Unpack refuses, verify finds a difference; both name class and tensor; the directory stays as it was."""
    model = read_safetensors(small.base / "model.safetensors")
    base = write_model(tmp_path / "base", change(model), metadata={"format": "pt"})
    before = listing(tmp_path)
    refused = silt.exits(MALFORMED, "unpack", base, small.file, "-o", tmp_path / "out")
    assert error in refused.stderr
    assert VICTIM in refused.stderr
    report = json.loads(silt.exits(1, "verify", base, small.file, "--json").stdout)
    assert not report["identical"]
    assert [(found["class"], found["tensor"]) for found in report["differences"]] == [(error, VICTIM)]
    assert listing(tmp_path) == before


def test_wrong_base_with_force(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """An output that exists survives a refusal, even with --force."""
    model = read_safetensors(small.base / "model.safetensors")
    base = write_model(tmp_path / "base", other_content(model))
    output = tmp_path / "out"
    output.mkdir()
    (output / "config.json").write_text("keep")
    before = listing(tmp_path)
    silt.exits(MALFORMED, "unpack", base, small.file, "-o", output, "--force")
    assert listing(tmp_path) == before
    assert (output / "config.json").read_text() == "keep"


def test_missing_shard(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """A base whose index names a file that is not there."""
    base = write_sharded(tmp_path / "base", read_safetensors(small.base / "model.safetensors"), 3)
    victim = "model-00002-of-00003.safetensors"
    (base / victim).unlink()
    before = listing(tmp_path)
    result = silt.exits((MISSING, MALFORMED), "unpack", base, small.file, "-o", tmp_path / "out")
    assert victim in result.stderr
    result = silt.exits((MISSING, MALFORMED), "pack", base, small.fine, "-o", tmp_path / "out.silt")
    assert victim in result.stderr
    assert listing(tmp_path) == before


def test_truncated_base(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """A base file cut short is malformed."""
    base = tmp_path / "base"
    shutil.copytree(small.base, base)
    model = base / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-100])
    silt.exits(MALFORMED, "unpack", base, small.file, "-o", tmp_path / "out")
    silt.exits(MALFORMED, "pack", base, small.fine, "-o", tmp_path / "out.silt")
    assert listing(tmp_path) == {"base", "base/config.json", "base/model.safetensors"}


def test_missing_stored_reference(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """A file that the result shares with the base must still be there, with the same bytes."""
    for name in ("base", "fine"):
        shutil.copytree(getattr(small, name), tmp_path / name)
        (tmp_path / name / "shared.bin").write_bytes(np.random.default_rng(1).bytes(100_000))
    packed = tmp_path / "m.silt"
    assert silt.pack(tmp_path / "base", tmp_path / "fine", packed)["bytes"] < 150_000
    target = tmp_path / "base" / "shared.bin"
    content = bytearray(target.read_bytes())
    content[5] ^= 1
    target.write_bytes(content)
    result = silt.exits(MALFORMED, "unpack", tmp_path / "base", packed, "-o", tmp_path / "out")
    assert "shared.bin" in result.stderr
    target.unlink()
    result = silt.exits((MALFORMED, MISSING), "unpack", tmp_path / "base", packed, "-o", tmp_path / "out")
    assert "shared.bin" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["resharded", "reordered", "metadata", "file"])
def test_equal_base(silt: Silt, small: Packed, tmp_path: Path, form: str) -> None:
    """Other files, the same tensors."""
    model = read_safetensors(small.base / "model.safetensors")
    base = tmp_path / "base"
    match form:
        case "resharded":
            write_sharded(base, model, 3)
        case "reordered":
            write_model(base, dict(reversed(model.items())), residue=3)
        case "metadata":
            write_model(base, model, metadata={"format": "tf", "note": "edited"}, padding=77)
        case "file":
            base = write_safetensors(tmp_path / "base.safetensors", model)
    if base.is_dir():
        shutil.copy(small.base / "config.json", base / "config.json")
    result = silt.run("unpack", base, small.file, "-o", tmp_path / "out")
    if form == "file" and result.returncode in (MALFORMED, MISSING):
        assert "config.json" in result.stderr, "only a file that the result shares with the base may be amiss"
        return
    assert result.returncode == 0, result.stderr
    assert digests(tmp_path / "out") == digests(small.fine)


def test_silt_file_as_checkpoint(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """A Silt file is a valid safetensors file, but no model: neither a base nor a fine-tuned checkpoint."""
    silt.exits(USAGE, "unpack", small.file, small.file, "-o", tmp_path / "out")
    silt.exits(USAGE, "pack", small.base, small.file, "-o", tmp_path / "again.silt")
    assert not listing(tmp_path)
