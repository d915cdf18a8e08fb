"""Which tensors a lossy method takes, what becomes of the others, and which options are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from checkpoints import (
    LOSSY_NAMES,
    SPECIALS,
    Tensor,
    Tensors,
    float_tensor,
    patterns,
    read_safetensors,
    write_model,
)
from program import OK, USAGE, Lossy, Silt, listing, manifest_tensors
from pruning import dare, delta_of, sums, values

Pairs = dict[str, tuple[Path, Path]]
DARE = ("--method", "random", "--drop", "0.5", "--values", "f32")

#: Names as models have them, and whether a method takes a matrix of this name by default.
NAMES = {
    "bert.encoder.layer.0.attention.self.query.weight": True,
    "bert.pooler.dense.weight": True,
    "bert.embeddings.word_embeddings.weight": False,
    "bert.embeddings.position_embeddings.weight": False,
    "bert.embeddings.token_type_embeddings.weight": False,
    "classifier.weight": False,
    "model.embed_tokens.weight": False,
    "model.layers.3.self_attn.q_proj.weight": True,
    "model.layers.3.mlp.down_proj.weight": True,
    "lm_head.weight": False,
    "score.weight": False,
    "transformer.wte.weight": False,
    "transformer.wpe.weight": False,
    "transformer.h.0.attn.c_attn.weight": True,
    "shared.weight": False,
    "qa_outputs.weight": False,
}


def lossy_names(silt: Silt, found: Lossy) -> set[str]:
    """Tensors that have a receipt, so are not exact."""
    return {entry["name"] for entry in silt.json("inspect", found.file)["tensors"] if entry["receipt"]}


def write_pair(
    work: Path, rng: np.random.Generator, shapes: dict[str, tuple[int, ...]], dtype: str = "BF16"
) -> tuple[Path, Path]:
    """A pair with tensors of these names and shapes."""
    base, fine = {}, {}
    for name, shape in shapes.items():
        before = rng.standard_normal(shape) * 0.05
        base[name] = float_tensor(before, dtype)
        fine[name] = float_tensor(before + rng.standard_normal(shape) * 0.004, dtype)
    return write_model(work / "base", base), write_model(work / "fine", fine)


def load(path: Path) -> Tensors:
    """The tensors of a checkpoint directory."""
    return read_safetensors(path / "model.safetensors")


def test_default_choice(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Matrices, but no embeddings and heads; no vectors."""
    shapes = dict.fromkeys(NAMES, (16, 24)) | {
        "model.norm.weight": (24,),
        "a.layer.bias": (16,),
        "scalar": (),
    }
    pair = write_pair(tmp_path, rng, shapes)
    found = silt.lossy(*pair, tmp_path / "work", *DARE)
    assert lossy_names(silt, found) == {name for name, taken in NAMES.items() if taken}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("--only", "query"), {LOSSY_NAMES[0]}),
        (("--only", "embeddings.*weight|classifier"), {"embeddings.word_embeddings.weight", "classifier.weight"}),
        (("--except", "query|conv"), {LOSSY_NAMES[1], LOSSY_NAMES[2]}),
        (("--only", "output|conv", "--except", "conv"), {LOSSY_NAMES[1]}),
        (("--embeddings", "method"), {*LOSSY_NAMES, "embeddings.word_embeddings.weight"}),
        (("--embeddings", "drop", "--except", "word"), set(LOSSY_NAMES)),
    ],
)
def test_chosen(silt: Silt, pairs: Pairs, tmp_path: Path, options: tuple[str, ...], wanted: set[str]) -> None:
    """--only also takes embeddings and heads; --except wins over all."""
    base, fine = (load(path) for path in pairs["BF16"])
    found = silt.lossy(*pairs["BF16"], tmp_path, *DARE, *options)
    assert lossy_names(silt, found) == wanted
    for name, tensor in found.tensors.items():
        assert tensor == (dare(name, base[name], fine[name], 0.5) if name in wanted else fine[name]), name


@pytest.mark.parametrize("choice", ["exact", "int4", "f16", "drop"])
def test_vectors(silt: Silt, pairs: Pairs, tmp_path: Path, choice: str) -> None:
    """Norms and biases but the head's: exact, nearly, or the base's."""
    base, fine = (load(path) for path in pairs["F32"])
    found = silt.lossy(*pairs["F32"], tmp_path, *DARE, "--vectors", choice)
    for name in ("embeddings.LayerNorm.weight", "encoder.layer.0.attention.query.bias"):
        error = sums(base[name], fine[name], found.tensors[name]).receipt()["relative_l2"]
        match choice:
            case "exact":
                assert found.tensors[name] == fine[name]
            case "int4":
                assert 0.01 < error < 0.2
            case "f16":
                assert 0 < error < 1e-3
            case "drop":
                assert found.tensors[name] == base[name]
    assert found.tensors["classifier.bias"] == fine["classifier.bias"]


def test_dropped_embeddings(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """The base's come back, and take no bytes."""
    base, _ = (load(path) for path in pairs["BF16"])
    name = "embeddings.word_embeddings.weight"
    packed = tmp_path / "m.silt"
    silt.ok("pack", *pairs["BF16"], "-o", packed, *DARE, "--embeddings", "drop")
    silt.unpack(pairs["BF16"][0], packed, tmp_path / "out")
    assert load(tmp_path / "out")[name] == base[name]
    assert manifest_tensors(packed)[name]["parts"] == [{"kind": "copy"}]


@pytest.mark.parametrize("method", ["random", "magnitude", "lowrank+random"])
def test_grown_vocabulary(silt: Silt, rng: np.random.Generator, tmp_path: Path, method: str) -> None:
    """Rows that the base lacks come back exactly; the method takes those that it has."""
    name = "model.embed_tokens.weight"
    _, fine = write_pair(tmp_path, rng, {name: (70, 32)})
    grown = load(fine)[name]
    short_base = Tensor("BF16", (60, 32), load(tmp_path / "base")[name].data[: 60 * 64])
    base = write_model(tmp_path / "short", {name: short_base})
    drop = "0.5" if method == "random" else "0.9"
    options = ("--method", method, "--drop", drop, "--values", "f32", "--embeddings", "method")
    rank = ("--rank", "3") if "lowrank" in method else ()
    found = silt.lossy(base, fine, tmp_path / "work", *options, *rank)
    result = found.tensors[name]
    assert result.shape == (70, 32) and result.data[60 * 64 :] == grown.data[60 * 64 :]
    assert result.data[: 60 * 64] != grown.data[: 60 * 64]
    if method == "random":
        short = Tensor("BF16", (60, 32), grown.data[: 60 * 64])
        assert result.data[: 60 * 64] == dare(name, load(base)[name], short, 0.5).data


def test_other_dtype(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """An F32 base under a BF16 fine-tune: the delta is to the base as it is converted."""
    base, fine = load(pairs["F32"][0]), load(pairs["BF16"][1])
    found = silt.lossy(pairs["F32"][0], pairs["BF16"][1], tmp_path, *DARE)
    for name in LOSSY_NAMES:
        converted = float_tensor(values(base[name]).reshape(base[name].shape), "BF16")
        assert found.tensors[name] == dare(name, converted, fine[name], 0.5), name


@pytest.mark.slow
@pytest.mark.parametrize("side", ["base", "fine"])
@pytest.mark.parametrize("dtype", ["BF16", "F16", "F32"])
def test_not_finite(silt: Silt, pairs: Pairs, tmp_path: Path, side: str, dtype: str) -> None:
    """A tensor with a NaN or an infinity, in the base or in the fine-tune, stays exact, with a notice."""
    base, fine = (load(path) for path in pairs[dtype])
    special = {LOSSY_NAMES[0]: SPECIALS[dtype][0], LOSSY_NAMES[2]: SPECIALS[dtype][5]}
    changed = base if side == "base" else fine
    for name, pattern in special.items():
        bits = patterns(changed[name])
        bits[-3] = pattern
        changed[name] = Tensor(dtype, changed[name].shape, bits.tobytes())
    pair = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    found = silt.lossy(*pair, tmp_path / "work", *DARE)
    assert lossy_names(silt, found) == set(LOSSY_NAMES) - special.keys()
    assert all(found.tensors[name] == fine[name] for name in special)
    text = silt.ok("pack", *pair, "-o", tmp_path / "again.silt", *DARE, "--verbose").stderr
    assert all(name in text for name in special)


@pytest.mark.parametrize("method", ["random", "magnitude", "nm", "rows", "sign", "dense", "lowrank", "transform"])
def test_delta_overflows(silt: Silt, rng: np.random.Generator, tmp_path: Path, method: str) -> None:
    """Both sides are finite but their difference is not: the tensor stays exact, with a notice."""
    huge = np.where(rng.random((20, 30)) < 0.05, 3e38, 1)
    base, fine = {"a.weight": float_tensor(huge, "F32")}, {"a.weight": float_tensor(-huge, "F32")}
    pair = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    found = silt.lossy(*pair, tmp_path / "work", "--method", method)
    assert found.tensors == fine
    assert "a.weight" in silt.ok("pack", *pair, "-o", tmp_path / "b.silt", "--method", method, "-v").stderr


@pytest.mark.parametrize("method", ["lowrank --rank 1", "transform"])
def test_more_rows_than_factors_have(silt: Silt, rng: np.random.Generator, tmp_path: Path, method: str) -> None:
    """Factors have 262,144 columns at most: a longer matrix is refused or stays exact, but is never dropped."""
    pair = write_pair(tmp_path, rng, {"a.weight": (262_145, 2)})
    packed = tmp_path / "m.silt"
    code = silt.exits((OK, USAGE), "pack", *pair, "-o", packed, "--method", *method.split()).returncode
    if code == OK:
        silt.unpack(pair[0], packed, tmp_path / "out")
        assert load(tmp_path / "out") == load(pair[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    ["random", "magnitude", "columns", "nm", "sign", "dense", "lowrank --rank 3", "transform --quality 2"],
)
def test_equal_tensors(silt: Silt, pairs: Pairs, tmp_path: Path, method: str) -> None:
    """A delta of zeros is a copy, whatever the method; so is a checkpoint that equals its base."""
    base, fine = (load(path) for path in pairs["BF16"])
    still = fine | {name: base[name] for name in LOSSY_NAMES[:2]}
    place = write_model(tmp_path / "fine", still)
    found = silt.lossy(pairs["BF16"][0], place, tmp_path / "work", "--method", *method.split())
    assert lossy_names(silt, found) == set(LOSSY_NAMES[2:])
    assert all(found.tensors[name] == base[name] for name in LOSSY_NAMES[:2])
    same = silt.lossy(pairs["BF16"][0], pairs["BF16"][0], tmp_path / "same", "--method", *method.split())
    assert same.tensors == base


def test_still_rows(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Rows of an embedding that training never saw stay the base's."""
    name = "model.embed_tokens.weight"
    before = rng.standard_normal((100, 40)) * 0.05
    move = rng.standard_normal((100, 40)) * 0.01 * (np.arange(100) % 3 == 0)[:, None]
    base, fine = {name: float_tensor(before, "F32")}, {name: float_tensor(before + move, "F32")}
    pair = write_model(tmp_path / "base", base), write_model(tmp_path / "fine", fine)
    for method in ("random", "sign", "dense", "transform"):
        drop = ("--drop", "0.5") if method == "random" else ()
        options = ("--method", method, "--embeddings", "method", *drop)
        tensor = silt.lossy(*pair, tmp_path / method, *options).tensors[name]
        change = delta_of(base[name], tensor).reshape(100, 40)
        assert not change[np.arange(100) % 3 != 0].any() or method == "transform", method
        assert change[np.arange(100) % 3 == 0].any()


def test_nothing_kept(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """A rate at which no element of a small tensor stays gives the base back."""
    pair = write_pair(tmp_path, rng, {"a.weight": (4, 5), "b.weight": (3, 3)})
    found = silt.lossy(*pair, tmp_path / "work", "--method", "random", "--drop", "0.999999")
    base = load(pair[0])
    assert found.tensors == base
    kept = silt.lossy(*pair, tmp_path / "all", "--method", "random", "--drop", "0", "--values", "f32")
    assert kept.tensors == load(pair[1])


@pytest.mark.parametrize(
    "options",
    [
        *(f"random --drop={drop}" for drop in ("1", "1.5", "-0.1", "nan", "inf", "much")),
        *(f"random --q={q}" for q in ("0", "-1", "nan", "inf", "1e60", "1e-60", "some")),
        *(f"lowrank --rank={rank}" for rank in ("0", "-3", "49")),
        *(f"lowrank --energy={energy}" for energy in ("0", "1.1", "nan")),
        *(f"transform --quality={quality}" for quality in ("0", "-1", "nan", "inf")),
        *(f"nm --pattern={pattern}" for pattern in ("4:4", "0:4", "2:65", "2", "a:b", "2:4:8")),
        *(f"random --seed={seed}" for seed in ("-1", "1.5")),
        *(f"random --group={group}" for group in ("-1",)),
        "random --values=f32 --group=8",
        "magnitude --mask=seeded",
        "sign --values=int4",
        "random+lowrank",
        "lowrank+lowrank",
        "random --only=(",
        "random --except=[",
        "nothing",
        "random+",
    ],
)
def test_refused(silt: Silt, pairs: Pairs, tmp_path: Path, options: str) -> None:
    """Options that make no sense are wrong usage, and nothing is written."""
    result = silt.exits(USAGE, "pack", *pairs["BF16"], "-o", tmp_path / "m.silt", "--method", *options.split())
    assert listing(tmp_path) == set()
    if "--rank=49" in options:
        # The matrix is named, with its size and a way out.
        assert "35" in result.stderr or "48" in result.stderr


def test_options_need_a_method(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """They are refused rather than ignored."""
    for words in (("--drop", "0.9"), ("--values", "int4"), ("--only", "a"), ("--seed", "0"), ("--q", "1")):
        silt.exits(USAGE, "pack", *pairs["BF16"], "-o", tmp_path / "m.silt", *words)
    assert listing(tmp_path) == set()
