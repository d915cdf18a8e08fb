"""Receipts: how far the result is from the fine-tuned checkpoint, computed again in numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, float_tensor, read_safetensors, write_model
from program import Silt
from pruning import Sums, sums


def check_receipts(silt: Silt, base_path: Path, fine_path: Path, work: Path, *options: object) -> Tensors:
    """Packs, and compares what pack, inspect and verify say with the unpacked model. The rebuilt tensors."""
    found = silt.lossy(base_path, fine_path, work, *options)
    base, fine = (read_safetensors(path / "model.safetensors") for path in (base_path, fine_path))
    inspected = silt.json("inspect", found.file)
    verified = silt.json("verify", base_path, found.file, "--against", fine_path)
    by_name = {entry["name"]: entry["receipt"] for entry in inspected["tensors"]}
    total = Sums()
    for name, result in found.tensors.items():
        if by_name[name] is None:
            assert result == fine[name], f"{name} has no receipt and is not exact"
            assert name not in verified["tensor_receipts"]
            continue
        part = sums(base[name], fine[name], result)
        total += part
        # Six digits are stored; the order of additions may move the last one.
        assert by_name[name] == pytest.approx(part.receipt(), rel=1e-5, abs=1e-12), name
        assert verified["tensor_receipts"][name] == pytest.approx(part.receipt(), rel=1e-5, abs=1e-12), name
    for report in (found.report, inspected, verified):
        assert report["receipt"] == pytest.approx(total.receipt(), rel=1e-5, abs=1e-12)
    return found.tensors


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32"])
@pytest.mark.parametrize(
    "options", ["random", "magnitude --values f32", "sign", "lowrank --rank 8", "transform --quality 2"]
)
def test_receipts(
    silt: Silt, pairs: dict[str, tuple[Path, Path]], tmp_path: Path, dtype: str, options: str
) -> None:
    """Each tensor's, and that of all of them together."""
    check_receipts(silt, *pairs[dtype], tmp_path, "--method", *options.split())


def test_dropped_tensors_have_receipts(
    silt: Silt, pairs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    """The base stands for them: everything is lost, and the receipt says so."""
    base, _ = pairs["BF16"]
    options = ("--method", "sign", "--embeddings", "drop", "--vectors", "drop")
    tensors = check_receipts(silt, *pairs["BF16"], tmp_path, *options)
    before = read_safetensors(base / "model.safetensors")
    dropped = [name for name in tensors if "embeddings.word" in name or len(tensors[name].shape) == 1]
    dropped.remove("classifier.bias")
    assert len(dropped) == 3
    assert all(tensors[name] == before[name] for name in dropped)
    entries = {entry["name"]: entry for entry in silt.json("inspect", tmp_path / "model.silt")["tensors"]}
    assert all(entries[name]["receipt"]["relative_l2"] == 1 for name in dropped)
    assert all(entries[name]["bytes"] == 0 for name in dropped)


def test_receipts_against_real_pair(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The classifier has no base, so it is exact and not part of the receipt."""
    options = ("--method", "random", "--drop", "0.9", "--embeddings", "drop")
    check_receipts(silt, *real_pair, tmp_path, *options)


def test_overflow(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """1/q can carry a value over the largest of F16: no file is written whose result would be infinite."""
    before = (rng.standard_normal((64, 64)) * 20000).clip(-65000, 65000)
    model = {"a.weight": float_tensor(before, "F16")}
    after = (before + rng.standard_normal((64, 64)) * 400).clip(-65000, 65000)
    tuned = {"a.weight": float_tensor(after, "F16")}
    base, fine = write_model(tmp_path / "base", model), write_model(tmp_path / "fine", tuned)
    options = ("--method", "random", "--drop", "0.9", "--q", "0.005", "--values", "f32")
    result = silt.exits(64, "pack", base, fine, "-o", tmp_path / "m.silt", *options)
    assert "infinite" in result.stderr
    assert not (tmp_path / "m.silt").exists()


def test_verify_notices_a_wrong_checkpoint(
    silt: Silt, pairs: dict[str, tuple[Path, Path]], tmp_path: Path
) -> None:
    """Against another fine-tune the distance is not what the file says, and exact tensors differ."""
    base, fine = pairs["F32"]
    found = silt.lossy(base, fine, tmp_path / "work", "--method", "random")
    tensors = read_safetensors(fine / "model.safetensors")
    for name in ("encoder.conv.weight", "classifier.weight"):
        changed = np.frombuffer(tensors[name].data, "<f4") * np.float32(1.01)
        other = tensors | {name: Tensor("F32", tensors[name].shape, changed.tobytes())}
        place = write_model(tmp_path / name, other)
        result = silt.exits(1, "verify", base, found.file, "--against", place, "--json")
        assert name in result.stdout
