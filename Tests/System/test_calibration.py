"""What data decide: q by each rule, masks, biases, WANDA, and the smallest file within a bound."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, Tensors, read_safetensors, write_safetensors
from program import ROOT, USAGE, Silt, digest
from pruning import delta_of, kept_at_random, values

pytestmark = pytest.mark.slow

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"
NAME = "bert.encoder.layer.0.attention.self.query.weight"
#: The exact part coded fast: it is not what these tests are about.
FAST = ("--prediction", "none", "--codec", "lz4", "--examples", "16")
ONE = ("--only", "layer.0.attention.self.query.weight")
RANDOM = ("--method", "random", "--drop", "0.95")
ON = ("--calibration", DATA)
Pair = tuple[Path, Path]


def pack(silt: Silt, pair: Pair, output: Path, *options: object) -> dict:
    """Packs with data; the report."""
    return silt.json("pack", *pair, "-o", output, *FAST, *options)


def evaluation(report: dict, metric: str) -> dict:
    """The one evaluation of this metric."""
    (found,) = [entry for entry in report["evaluations"] if entry["metric"] == metric]
    return found


def divergence(report: dict) -> float:
    """What was measured on the calibration data."""
    return evaluation(report, "kl")["rebuilt"]


def factors(silt: Silt, file: Path) -> dict[str, float]:
    """q of the tensors that have one number."""
    tensors = silt.json("inspect", file)["tensors"]
    found = {entry["name"]: re.search(r"\bq ([0-9.e-]+)", entry["coding"]) for entry in tensors}
    return {name: float(match[1]) for name, match in found.items() if match}


def first_inputs(pair: Pair, examples: int = 16) -> np.ndarray:
    """Inputs of the first layer's attention: embeddings, normalised; the places that are no padding."""
    tensors = read_safetensors(pair[1] / "model.safetensors")
    data = {name: np.frombuffer(tensor.data, "<i4").reshape(tensor.shape)[:examples]
            for name, tensor in read_safetensors(DATA).items()}  # fmt: skip

    def of(name: str) -> np.ndarray:
        tensor = tensors[f"bert.embeddings.{name}"]
        return values(tensor).astype(np.float64).reshape(tensor.shape)

    length = data["input_ids"].shape[1]
    x = of("word_embeddings.weight")[data["input_ids"]] + of("position_embeddings.weight")[:length]
    x = x + of("token_type_embeddings.weight")[data["token_type_ids"]]
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    x = x * of("LayerNorm.weight") + of("LayerNorm.bias")
    return x[data["attention_mask"] != 0]


def delta(pair: Pair, name: str = NAME) -> np.ndarray:
    """A matrix's delta, in binary32."""
    base, fine = (read_safetensors(path / "model.safetensors") for path in pair)
    own = name if name in base else name.removeprefix("bert.")
    return delta_of(base[own], fine[name]).reshape(fine[name].shape)


def unpacked(silt: Silt, pair: Pair, file: Path) -> Tensors:
    """The tensors that a file rebuilds."""
    silt.unpack(pair[0], file, file.with_suffix(".out"))
    return read_safetensors(file.with_suffix(".out") / "model.safetensors")


RULES = (
    "labelled", "unlabelled", "kl", "gradient", "gradient-kl", "analytic", "published", "closed-form", "least-squares",
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_rules(silt: Silt, real_pair: Pair, tmp_path: Path, rule: str) -> None:
    """Each rule finds a q above 0, says what it is, and the file is what it says that it is."""
    file = tmp_path / "m.silt"
    report = pack(silt, real_pair, file, *RANDOM, *ONE, "--q", rule, *ON)
    assert report["packing"]["rule"] == rule
    found = factors(silt, file)
    assert found.keys() == {NAME} and 0.01 < found[NAME] < 2
    assert silt.json("verify", real_pair[0], file, "--against", real_pair[1])["identical"] is True
    if rule == "kl":
        dare = pack(silt, real_pair, tmp_path / "d.silt", *RANDOM, *ONE, *ON)
        assert divergence(report) <= divergence(dare)


@pytest.mark.parametrize("rule", ["gradient", "gradient-kl"])
def test_gradient_rules_lessen_the_divergence(silt: Silt, real_pair: Pair, tmp_path: Path, rule: str) -> None:
    """A factor above 1 - p for each tensor; the answers come nearer to the fine-tuned model's."""
    words = ("--method", "random", "--drop", "0.99", "--embeddings", "method", "--seed", "3", *ON, "--examples", "40")
    dare = pack(silt, real_pair, tmp_path / "d.silt", *words)
    report = pack(silt, real_pair, tmp_path / "g.silt", *words, "--q", rule)
    assert divergence(report) < 0.8 * divergence(dare)
    found = factors(silt, tmp_path / "g.silt")
    assert len(set(found.values())) > 3 and all(0.01 <= q < 0.2 for q in found.values())


def test_gradient_rule_of_all_and_of_rows(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """One factor for all tensors, or one for each row; magnitudes have factors too."""
    for name, words in {"all": (*RANDOM, "--per", "global"), "rows": (*RANDOM, *ONE, "--per", "row")}.items():
        pack(silt, real_pair, tmp_path / f"{name}.silt", *words, "--q", "gradient-kl", *ON)
    assert len(set(factors(silt, tmp_path / "all.silt").values())) == 1
    (rows,) = [t["coding"] for t in silt.json("inspect", tmp_path / "rows.silt")["tensors"] if t["name"] == NAME]
    assert re.search(r"\bq of \d+ rows", rows), rows
    largest = ("--method", "magnitude", "--drop", "0.97")
    plain = pack(silt, real_pair, tmp_path / "p.silt", *largest, "--correct-bias", "--vectors", "exact", *ON)
    fitted = pack(silt, real_pair, tmp_path / "f.silt", *largest, "--q", "gradient-kl", *ON)
    assert divergence(fitted) < divergence(plain) and min(factors(silt, tmp_path / "f.silt").values()) < 1


def test_closed_form_is_the_formula(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """(1 - p) + p R with R from the layer's true inputs; a multiplier multiplies it."""
    x, d = first_inputs(real_pair), delta(real_pair).astype(np.float64)
    ratio = ((d**2) @ (x**2).sum(0)).sum() / ((x @ d.T) ** 2).sum()
    for multiplier in (1, 0.5):
        file = tmp_path / f"{multiplier}.silt"
        pack(silt, real_pair, file, *RANDOM, *ONE, "--q", "closed-form", "--multiplier", multiplier, *ON)
        assert factors(silt, file)[NAME] == pytest.approx(multiplier * (0.05 + 0.95 * ratio), rel=2e-3)


def test_least_squares_is_the_fit(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """<P, P> / <P, Y> of the layer's outputs with this mask."""
    x, d = first_inputs(real_pair), delta(real_pair)
    kept = np.where(kept_at_random(NAME, d.size, 0.95).reshape(d.shape), d, 0).astype(np.float64)
    pruned, whole = x @ kept.T, x @ d.T.astype(np.float64)
    file = tmp_path / "m.silt"
    pack(silt, real_pair, file, *RANDOM, *ONE, "--values", "f32", "--q", "least-squares", "--multiplier", "1", *ON)
    assert factors(silt, file)[NAME] == pytest.approx((pruned**2).sum() / (pruned * whole).sum(), rel=2e-3)


def test_wanda_weighs_by_inputs(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """The same share of each row, and of each row the largest |delta| times norm of the input."""
    file = tmp_path / "m.silt"
    pack(silt, real_pair, file, "--method", "wanda", "--drop", "0.9", "--values", "f32", *ONE, *ON)
    d, norms = delta(real_pair), np.sqrt((first_inputs(real_pair) ** 2).sum(0))
    base = read_safetensors(real_pair[0] / "model.safetensors")
    before = base[NAME if NAME in base else NAME.removeprefix("bert.")]
    found = delta_of(before, unpacked(silt, real_pair, file)[NAME]).reshape(d.shape) != 0
    scores = np.abs(d) * norms
    quota = found.sum(1)
    assert quota.max() - quota.min() <= 2 and abs(quota.mean() / d.shape[1] - 0.1) < 0.01
    wanted = scores >= np.sort(scores, axis=1)[:, -round(0.1 * d.shape[1]), None]
    plain = np.abs(d) >= np.sort(np.abs(d), axis=1)[:, -round(0.1 * d.shape[1]), None]
    assert (found & wanted).sum() > 0.98 * wanted.sum() > (found & plain).sum()


def test_best_mask(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """--seeds takes the seed with the least divergence of those."""
    best = pack(silt, real_pair, tmp_path / "b.silt", *RANDOM, *ONE, "--seeds", 3, *ON)
    single = [pack(silt, real_pair, tmp_path / f"{seed}.silt", *RANDOM, *ONE, "--seed", seed, *ON) for seed in range(3)]
    assert len({divergence(report) for report in single}) == 3
    least = min(single, key=divergence)
    assert divergence(best) == divergence(least) and best["packing"]["seed"] == least["packing"]["seed"]


def test_bias_correction(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """The bias takes in (delta - rebuilt) times the mean input; no other tensor moves."""
    plain, file = tmp_path / "p.silt", tmp_path / "c.silt"
    both = ("--only", "layer.0.attention.self.query")
    silt.pack(*real_pair, plain, *FAST[:4], *RANDOM, *both, "--vectors", "exact", check=False)
    pack(silt, real_pair, file, *RANDOM, *both, "--correct-bias", *ON)
    before, after = (unpacked(silt, real_pair, path) for path in (plain, file))
    bias = NAME.replace("weight", "bias")
    assert {name for name in before if before[name] != after[name]} == {bias}
    fine = read_safetensors(real_pair[1] / "model.safetensors")
    missing = (values(fine[NAME]) - values(after[NAME])).reshape(fine[NAME].shape).astype(np.float64)
    moved = values(after[bias]).astype(np.float64) - values(before[bias])
    wanted = missing @ first_inputs(real_pair).mean(0)
    assert np.corrcoef(moved, wanted)[0, 1] > 0.99


def test_recorded_is_measured(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """The recorded metric is `silt eval`'s, on the data with this SHA-256; rescale removes it."""
    file = tmp_path / "m.silt"
    record = evaluation(pack(silt, real_pair, file, *RANDOM, "--correct-bias", *ON), "accuracy")
    assert record["data"] == digest(DATA) and record["examples"] == 16
    found = silt.json("eval", file, DATA, "--base", real_pair[0], "--examples", 16)
    assert found["value"] == record["rebuilt"]
    assert silt.json("rescale", file, "--q", "0.06")["removed_evaluations"] == 2


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data, 12 tokens of each example: a search runs the model a thousand times."""
    tensors = read_safetensors(DATA)
    for name, tensor in tensors.items():
        if len(tensor.shape) == 2:
            table = np.frombuffer(tensor.data, "<i4").reshape(tensor.shape)[:, :12]
            tensors[name] = Tensor(tensor.dtype, table.shape, table.tobytes())
    return write_safetensors(tmp_path_factory.mktemp("short") / "data.safetensors", tensors)


CURVED = ("--method", "transform", "--curvature", "--vectors", "method", "--embeddings", "method")


def test_curvature(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """Fewer bytes for less divergence than without; the file verifies, and says how it was made."""
    plain = pack(silt, real_pair, tmp_path / "plain.silt", *CURVED[:2], "--quality", "4", "--vectors", "int4",
                 *CURVED[-2:], "--correct-bias", *ON)  # fmt: skip
    found = pack(silt, real_pair, tmp_path / "m.silt", *CURVED, "--quality", "0.3", *ON)
    assert found["bytes"] < plain["bytes"]
    assert divergence(found) < divergence(plain)
    silt.json("verify", real_pair[0], tmp_path / "m.silt", "--against", real_pair[1])
    assert silt.json("inspect", tmp_path / "m.silt")["packing"]["curvature"]
    # Every fineness goes the right way.
    coarse = pack(silt, real_pair, tmp_path / "coarse.silt", *CURVED, "--quality", "4", *ON)
    assert coarse["bytes"] < found["bytes"] and divergence(coarse) > divergence(found)


@pytest.mark.parametrize("rule", ["gradient", "gradient-kl"])
@pytest.mark.parametrize("options", [CURVED, ("--method", "transform", "--embeddings", "method")])
def test_components_have_a_q(
    silt: Silt, real_pair: Pair, short: Path, tmp_path: Path, options: tuple[str, ...], rule: str
) -> None:
    """Scales that descend: the same bytes, far less divergence, and a file that says how it was made."""
    quality = ("--quality", "1" if options == CURVED else "8", "--examples", "40")
    plain = pack(silt, real_pair, tmp_path / "plain.silt", *options, "--calibration", short, *quality)
    found = pack(silt, real_pair, tmp_path / "m.silt", *options, "--calibration", short, *quality, "--q", rule)
    assert found["packing"]["rule"] == rule
    assert divergence(found) < 0.7 * divergence(plain)
    assert abs(found["bytes"] - plain["bytes"]) < 0.02 * plain["bytes"]
    silt.json("verify", real_pair[0], tmp_path / "m.silt", "--against", real_pair[1], "--eval", short)


@pytest.fixture(scope="module")
def within(
    silt: Silt, real_pair: Pair, short: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict, Path]:
    """The smallest file within a divergence of 0.02: a search of half a minute."""
    file = tmp_path_factory.mktemp("within") / "m.silt"
    return pack(silt, real_pair, file, "--kl-within", "0.02", "--calibration", short), file


def test_goals_use_curvature(
    silt: Silt, real_pair: Pair, within: tuple[dict, Path], short: Path, tmp_path: Path
) -> None:
    """Bounds of the divergence and of the size find it by themselves, and a q for each component."""
    report, file = within
    assert divergence(report) <= 0.02
    packing = silt.json("inspect", file)["packing"]
    assert packing["curvature"] and packing["rule"] == "gradient-kl"
    other = tmp_path / "s.silt"
    same = pack(silt, real_pair, other, "--size-at-most", report["bytes"], "--calibration", short)
    assert silt.json("inspect", other)["packing"]["rule"] == "gradient-kl"
    assert 0.95 * report["bytes"] < same["bytes"] <= report["bytes"] and divergence(same) < 0.03


@pytest.mark.parametrize("more", [(), ("--q", "gradient-kl")])
def test_corrected_biases_are_measured(
    silt: Silt, real_pair: Pair, short: Path, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """What is recorded of a candidate with corrected biases, which are integers of the matrices' step, is the file's."""
    file = tmp_path / "m.silt"
    report = pack(silt, real_pair, file, *CURVED, "--quality", "2", "--correct-bias", *more, "--calibration", short)
    found = silt.json("eval", file, short, "--base", real_pair[0], "--against", real_pair[1], "--examples", 16)
    assert found["kl"] == pytest.approx(divergence(report), rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        (*RANDOM, *ONE, "--q", "kl"),
        (*RANDOM, "--q", "gradient"),
        (*RANDOM, "--correct-bias"),
        ("--kl-within", "0.05"),
        (*CURVED, "--quality", "2"),
        (*CURVED, "--quality", "2", "--q", "gradient-kl"),
    ],
)
def test_threads(silt: Silt, real_pair: Pair, short: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    """The same file on one thread and on two."""
    for threads in (1, 2):
        pack(silt, real_pair, tmp_path / f"{threads}.silt", *options, "--calibration", short, "--threads", threads)
    assert (tmp_path / "1.silt").read_bytes() == (tmp_path / "2.silt").read_bytes()


def test_goals(silt: Silt, real_pair: Pair, within: tuple[dict, Path], short: Path, tmp_path: Path) -> None:
    """What a goal promises holds for the file itself."""
    report, _ = within
    assert report["contract"] == "lossy" and divergence(report) <= 0.02 and report["bytes"] < 500_000
    near = pack(silt, real_pair, tmp_path / "a.silt", "--accuracy-within", "7%", "--validation", short)
    record = evaluation(near, "accuracy")
    assert record["rebuilt"] >= record["finetuned"] - 0.07 - 1e-12 and near["bytes"] < 500_000
    small = pack(silt, real_pair, tmp_path / "s.silt", "--size-at-most", "60k", "--calibration", short)
    assert small["contract"] == "lossy" and small["bytes"] <= 60_000


def test_goal_out_of_reach(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """The exact delta is what remains, and somebody says so."""
    result = silt.ok("pack", *real_pair, "-o", tmp_path / "m.silt", *FAST, "--kl-within", "1e-12", *ON)
    assert "contract: exact" in result.stdout and "notice" in result.stderr


REFUSED = {
    "goal and method": (*RANDOM, "--kl-within", "0.1", *ON),
    "two goals": ("--kl-within", "0.1", "--size-at-most", "40k", *ON),
    "goal and scope": ("--kl-within", "0.1", "--per", "row", *ON),
    "no data": (*RANDOM, "--q", "kl"),
    "row by kl": (*RANDOM, "--q", "kl", "--per", "row", *ON),
    "no seeds": ("--method", "magnitude", "--seeds", "2", *ON),
    "too large a seed": (*RANDOM, "--seed", str(2**63 - 1), "--seeds", "4", *ON),
    "no rule": (*RANDOM, "--multiplier", "2", *ON),
    "multiple of a search": (*RANDOM, "--q", "gradient", "--multiplier", "2", *ON),
    "components by kl": ("--method", "transform", "--q", "kl", *ON),
    "components by tensor": ("--method", "transform", "--q", "gradient-kl", "--per", "tensor", *ON),
    "no components": ("--method", "lowrank", "--q", "gradient-kl", *ON),
    "tiny multiplier": (*RANDOM, *ONE, "--q", "closed-form", "--multiplier", "1e-310", *ON),
    "analytic magnitude": ("--method", "magnitude", "--q", "analytic", *ON),
    "negative bound": ("--kl-within=-1", *ON),
    "no number": ("--kl-within", "nan", *ON),
    "no labels given": ("--accuracy-within", "1%", *ON),
    "wanda without data": ("--method", "wanda"),
    "curvature without data": ("--method", "transform", "--curvature"),
    "curvature of another method": ("--method", "dense", "--curvature", *ON),
    "vectors by another method": ("--method", "dense", "--vectors", "method"),
    "residual by wanda": ("--method", "lowrank+wanda", "--rank", "2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(silt: Silt, real_pair: Pair, tmp_path: Path, case: str) -> None:
    """What makes no sense is wrong usage, and nothing is written."""
    silt.exits(USAGE, "pack", *real_pair, "-o", tmp_path / "m.silt", *FAST[:4], *REFUSED[case])
    assert list(tmp_path.iterdir()) == []


def test_data_that_do_not_fit(silt: Silt, real_pair: Pair, tmp_path: Path) -> None:
    """No labels for the rule labelled; tokens that the vocabulary does not have."""
    tensors = read_safetensors(DATA)
    bare = write_safetensors(tmp_path / "bare.safetensors", {k: v for k, v in tensors.items() if k != "labels"})
    output = tmp_path / "m.silt"
    silt.exits(USAGE, "pack", *real_pair, "-o", output, *FAST, *RANDOM, "--q", "labelled", "--calibration", bare)
    ids = tensors["input_ids"]
    large = np.full(ids.shape, 9_999, "<i4").tobytes()
    tensors["input_ids"] = type(ids)(ids.dtype, ids.shape, large)
    other = write_safetensors(tmp_path / "other.safetensors", tensors)
    silt.exits((USAGE, 65), "pack", *real_pair, "-o", output, *FAST, *RANDOM, "--q", "kl", "--calibration", other)
    assert not output.exists()
