"""DARE as its paper has it, bit for bit; every method packed, unpacked, verified, the same on any threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import LOSSY_NAMES, Tensors, read_safetensors
from program import Silt, digest, digests
from pruning import dare

Pairs = dict[str, tuple[Path, Path]]
RATES = (0.5, 0.9, 0.95, 0.99)

#: Every kind of component, mask and value.
METHODS: dict[str, tuple[str, ...]] = {
    **{
        f"{method}-{drop}": ("--method", method, "--drop", str(drop))
        for method in ("random", "magnitude", "columns", "rows")
        for drop in RATES
    },
    "nm": ("--method", "nm"),
    "nm-3-16": ("--method", "nm", "--pattern", "3:16", "--values", "bf16"),
    "sign": ("--method", "sign"),
    "dense": ("--method", "dense", "--values", "int8", "--group", "64"),
    "lowrank-rank": ("--method", "lowrank", "--rank", "4"),
    "lowrank-energy": ("--method", "lowrank", "--energy", "0.5", "--values", "f16"),
    "transform": ("--method", "transform", "--quality", "2"),
    "lowrank+random": ("--method", "lowrank+random", "--rank", "3", "--drop", "0.9"),
    "transform+magnitude": ("--method", "transform+magnitude", "--quality", "3", "--drop", "0.95"),
    "lowrank+sign": ("--method", "lowrank+sign", "--rank", "2"),
    "row-scope": ("--method", "magnitude", "--scope", "row"),
    "global-scope": ("--method", "magnitude", "--scope", "global", "--mask", "gaps"),
    "columns-random": ("--method", "columns", "--choose", "random", "--drop", "0.5", "--seed", "5"),
    "everything": ("--method", "random", "--embeddings", "method", "--vectors", "int4", "--values", "int2"),
}


def check_dare(
    pair: tuple[Path, Path], result: Tensors, names: set[str], drop: float, q: float | None = None, seed: int = 0
) -> None:
    """The tensors with these names are what DARE gives, the others what the fine-tune has."""
    base, fine = (read_safetensors(path / "model.safetensors") for path in pair)
    assert result.keys() == fine.keys()
    for name, tensor in result.items():
        wanted = dare(name, base[name], fine[name], drop, q, seed) if name in names else fine[name]
        assert tensor == wanted, name


@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32"])
@pytest.mark.parametrize("drop", RATES)
def test_dare(silt: Silt, pairs: Pairs, tmp_path: Path, dtype: str, drop: float) -> None:
    """base + mask * delta / (1 - p), from a Philox of the test's own."""
    options = ("--method", "random", "--drop", drop, "--values", "f32", "--mask", "seeded")
    found = silt.lossy(*pairs[dtype], tmp_path, *options)
    check_dare(pairs[dtype], found.tensors, set(LOSSY_NAMES), drop)


@pytest.mark.parametrize("drop", RATES)
def test_dare_on_a_real_pair(
    silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path, drop: float
) -> None:
    """The committed pair. Embeddings stay exact at one rate, and are pruned at the others."""
    options: list[object] = ["--method", "random", "--drop", drop, "--values", "f32", "--mask", "seeded"]
    names = {name for name, tensor in read_safetensors(real_pair[1] / "model.safetensors").items()
             if len(tensor.shape) == 2 and "classifier" not in name}  # fmt: skip
    if drop == 0.9:
        names = {name for name in names if "embeddings" not in name}
    else:
        options += ["--embeddings", "method"]
    found = silt.lossy(*real_pair, tmp_path, *options)
    check_dare(real_pair, found.tensors, names, drop)


@pytest.mark.parametrize(("q", "seed"), [(0.2, 0), (1, 1), (0.013, 2**62 + 3)])
def test_dare_with_another_q(silt: Silt, pairs: Pairs, tmp_path: Path, q: float, seed: int) -> None:
    """q takes the place of 1 - p, and the seed chooses other elements."""
    options = ("--method", "random", "--drop", "0.9", "--values", "f32", "--q", q, "--seed", seed)
    for dtype in ("BF16", "F32"):
        found = silt.lossy(*pairs[dtype], tmp_path / dtype, *options)
        check_dare(pairs[dtype], found.tensors, set(LOSSY_NAMES), 0.9, q, seed)


def test_random_keeps_its_share(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """Within five deviations of a binomial distribution; another seed keeps others."""
    base, _ = (read_safetensors(path / "model.safetensors") for path in pairs["F32"])
    name = LOSSY_NAMES[2]
    found = []
    for seed in (0, 1):
        options = ("--method", "random", "--drop", "0.9", "--values", "f32", "--seed", seed)
        tensors = silt.lossy(*pairs["F32"], tmp_path / str(seed), *options).tensors
        found.append(np.frombuffer(tensors[name].data, "<u4") != np.frombuffer(base[name].data, "<u4"))
    for kept in found:
        assert abs(kept.mean() - 0.1) < 5 * np.sqrt(0.09 / kept.size)
    assert abs((found[0] & found[1]).mean() - 0.01) < 0.002


@pytest.mark.slow
@pytest.mark.parametrize("options", METHODS.values(), ids=METHODS)
def test_method(silt: Silt, pairs: Pairs, tmp_path: Path, options: tuple[str, ...]) -> None:
    """1, 2 and 8 threads give the same file and the same result; packing twice does, too."""
    base, fine = pairs["BF16"]
    first = silt.lossy(base, fine, tmp_path / "first", *options)
    wanted = digests(first.output)
    for threads in (1, 2, 8):
        packed, output = tmp_path / f"{threads}.silt", tmp_path / f"{threads}"
        silt.ok("pack", base, fine, "-o", packed, "--threads", threads, *options)
        assert digest(packed) == digest(first.file), f"{threads} threads"
        silt.unpack(base, packed, output, "--threads", threads)
        assert digests(output) == wanted, f"{threads} threads"
    report = silt.json("inspect", first.file)
    assert {entry["name"] for entry in report["tensors"] if entry["receipt"]} >= set(LOSSY_NAMES)


@pytest.mark.parametrize("method", ["magnitude", "transform", "lowrank+random"])
def test_threads_on_a_real_pair(
    silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path, method: str
) -> None:
    """The committed pair, whose matrices are large enough for what divides them."""
    found = set()
    for threads in (1, 2, 8):
        packed = tmp_path / f"{threads}.silt"
        options = ("--method", method, "--embeddings", "drop", "--threads", threads)
        silt.ok("pack", *real_pair, "-o", packed, *options)
        found.add(digest(packed))
    assert len(found) == 1
    silt.ok("verify", real_pair[0], packed, "--against", real_pair[1])


def test_single_tensor(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """`unpack --only` gives the tensors that a whole unpacking gives."""
    base, fine = pairs["F16"]
    found = silt.lossy(base, fine, tmp_path, "--method", "transform+random", "--quality", "2", "--drop", "0.5")
    silt.unpack(base, found.file, tmp_path / "one.safetensors", "--only", "conv|wide")
    one = read_safetensors(tmp_path / "one.safetensors")
    assert one == {name: found.tensors[name] for name in (LOSSY_NAMES[2], LOSSY_NAMES[3])}
