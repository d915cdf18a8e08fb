"""Which of a directory's files are the model, where an index and the files disagree: as transformers chooses, with a notice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensors, small_model, tuned_model, write_safetensors, write_sharded
from models import bert, token_data, weights
from program import MALFORMED, MISSING, Silt, digests, listing

INDEX = "model.safetensors.index.json"


def edited(directory: Path, change: Callable[[dict[str, str]], dict[str, str]]) -> None:
    """Changes the map of an index."""
    path = directory / INDEX
    index = json.loads(path.read_text())
    path.write_text(json.dumps(index | {"weight_map": change(index["weight_map"])}))


def absent_shards(directory: Path, model: Tensors, _: Tensors) -> None:
    """The index of other shards, none of which is there."""
    write_sharded(directory, model, 2)
    edited(directory, lambda names: {name: f"model-0000{i % 3 + 1}-of-00003.safetensors" for i, name in enumerate(names)})


def one_absent_shard(directory: Path, model: Tensors, _: Tensors) -> None:
    """One named shard is absent, but another file has its tensors."""
    write_sharded(directory, model, 2)
    (directory / "model-00002-of-00002.safetensors").rename(directory / "rest.safetensors")


def renamed_single(directory: Path, model: Tensors, _: Tensors) -> None:
    """The tensors of the absent shards are in one file of another name."""
    write_sharded(directory, model, 2)
    for shard in directory.glob("model-*.safetensors"):
        shard.unlink()
    write_safetensors(directory / "merged.safetensors", model)


def phantom(directory: Path, model: Tensors, _: Tensors) -> None:
    """An entry for a tensor that nobody has."""
    write_sharded(directory, model, 2)
    edited(directory, lambda names: names | {"mtp.fc.weight": "model-00002-of-00002.safetensors"})


def moved(directory: Path, model: Tensors, _: Tensors) -> None:
    """Tensors are in another shard than the index says."""
    write_sharded(directory, model, 2)
    first, second = sorted(directory.glob("model-*.safetensors"))
    swapped = {first.name: second.name, second.name: first.name}
    edited(directory, lambda names: {name: swapped[file] for name, file in names.items()})


def empty_index(directory: Path, model: Tensors, _: Tensors) -> None:
    """An index that names nothing."""
    write_sharded(directory, model, 2)
    edited(directory, lambda _: {})


def single_and_index(directory: Path, model: Tensors, old: Tensors) -> None:
    """A newer single file beside an index whose shards are still there."""
    write_sharded(directory, old, 2)
    write_safetensors(directory / "model.safetensors", model)


def single_and_stale_index(directory: Path, model: Tensors, old: Tensors) -> None:
    """A single file beside an index whose shards are gone."""
    write_sharded(directory, old, 2)
    for shard in directory.glob("model-*.safetensors"):
        shard.unlink()
    write_safetensors(directory / "model.safetensors", model)


def single_and_broken_index(directory: Path, model: Tensors, _: Tensors) -> None:
    """A single file beside an index that is no JSON: nobody reads it."""
    write_safetensors(directory / "model.safetensors", model)
    (directory / INDEX).write_text("{")


def older_set(directory: Path, model: Tensors, old: Tensors) -> None:
    """An older set of shards beside the one that the index names."""
    write_sharded(directory, old, 3)
    write_sharded(directory, model, 2)


def marked(directory: Path, model: Tensors, _: Tensors) -> None:
    """A byte order mark before the index."""
    write_sharded(directory, model, 2)
    (directory / INDEX).write_bytes(b"\xef\xbb\xbf" + (directory / INDEX).read_bytes())


def marked_and_absent(directory: Path, model: Tensors, old: Tensors) -> None:
    """Both at once."""
    absent_shards(directory, model, old)
    (directory / INDEX).write_bytes(b"\xef\xbb\xbf" + (directory / INDEX).read_bytes())


#: How a directory is written, and what its notice says beside "index".
NOTED: dict[Callable[[Path, Tensors, Tensors], None], str] = {
    absent_shards: "3 files that are not there",
    one_absent_shard: "model-00002-of-00002.safetensors",
    renamed_single: "merged.safetensors is taken",
    phantom: "mtp.fc.weight",
    moved: "another file",
    empty_index: "names no file",
    single_and_index: "model.safetensors is taken",
    single_and_stale_index: "model.safetensors is taken",
    single_and_broken_index: "model.safetensors is taken",
    older_set: "3 files beside them",
    marked: "byte order mark",
    marked_and_absent: "byte order mark",
}


def strange_size(directory: Path, model: Tensors, _: Tensors) -> None:
    """Sizes that are no sizes, and members that nobody knows."""
    write_sharded(directory, model, 2)
    index = json.loads((directory / INDEX).read_text())
    index["metadata"] = {"total_size": 1.5e3, "total_parameters": None}
    (directory / INDEX).write_text(json.dumps(index | {"extra": [1]}))


def no_index(directory: Path, model: Tensors, _: Tensors) -> None:
    """Shards without any index."""
    write_sharded(directory, model, 2)
    (directory / INDEX).unlink()


def index_of_single(directory: Path, model: Tensors, _: Tensors) -> None:
    """An index of the one file."""
    write_safetensors(directory / "model.safetensors", model)
    (directory / INDEX).write_text(json.dumps({"weight_map": dict.fromkeys(model, "model.safetensors")}))


def other_sharded(directory: Path, model: Tensors, old: Tensors) -> None:
    """Shards of another name beside the model's."""
    write_sharded(directory, model, 2)
    write_safetensors(directory / "consolidated-00001-of-00001.safetensors", {f"x.{n}": t for n, t in old.items()})


#: Directories of which there is nothing to say.
PLAIN = [strange_size, no_index, index_of_single, other_sharded]

ALL = [*NOTED, *PLAIN]


def names(write: Callable[..., None]) -> str:
    """The name of a test."""
    return write.__name__


@pytest.mark.parametrize("write", ALL, ids=names)
def test_both_sides(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, write: Callable[[Path, Tensors, Tensors], None]
) -> None:
    """Packed as either side with a notice where there is something to say; the base's values are those of the model."""
    base_model = small_model(rng)
    fine_model, old = tuned_model(rng, base_model), tuned_model(rng, base_model)
    base = write_safetensors(tmp_path / "base" / "model.safetensors", base_model).parent
    fine = write_safetensors(tmp_path / "fine" / "model.safetensors", fine_model).parent
    odd_base, odd_fine = tmp_path / "odd-base", tmp_path / "odd-fine"
    for directory, model in ((odd_base, base_model), (odd_fine, fine_model)):
        directory.mkdir()
        write(directory, model, old)
    control = silt.pack(base, fine, tmp_path / "control.silt", check=False)
    for number, (left, right) in enumerate(((odd_base, fine), (base, odd_fine))):
        work = tmp_path / str(number)
        work.mkdir()
        report = silt.round_trip(left, right, work)
        said = silt.ok("pack", left, right, "-o", work / "again.silt").stderr
        if write in NOTED:
            assert "index" in said and NOTED[write] in said, said
            assert str(odd_base if number == 0 else odd_fine) in said
        else:
            assert "notice" not in said, said
        if number == 0:
            assert report["base"] == control["base"]
            assert abs(report["bytes"] - control["bytes"]) < 200


@pytest.mark.parametrize("write", ALL, ids=names)
def test_eval(
    silt: Silt, rng: np.random.Generator, tmp_path: Path, write: Callable[[Path, Tensors, Tensors], None]
) -> None:
    """The model that runs is the one that is packed against, from a directory and from its Silt file."""
    config, model = bert(rng)
    old = weights(rng, {name: tensor.shape for name, tensor in model.items()})
    data = write_safetensors(tmp_path / "data.safetensors", token_data(rng))
    clean, odd = tmp_path / "clean", tmp_path / "odd"
    write_safetensors(clean / "model.safetensors", model)
    odd.mkdir()
    write(odd, model, old)
    for directory in (clean, odd):
        (directory / "config.json").write_text(json.dumps(config))
    silt.ok("eval", clean, data, "--logits", tmp_path / "clean-logits")
    said = silt.ok("eval", odd, data, "--logits", tmp_path / "odd-logits").stderr
    assert digests(tmp_path / "odd-logits") == digests(tmp_path / "clean-logits")
    assert write not in NOTED or ("index" in said and NOTED[write] in said)
    silt.ok("pack", clean, odd, "-o", tmp_path / "odd.silt")
    silt.ok("eval", tmp_path / "odd.silt", data, "--base", clean, "--logits", tmp_path / "silt-logits")
    assert digests(tmp_path / "silt-logits") == digests(tmp_path / "clean-logits")


@pytest.mark.parametrize("others", [[], ["adapter_model.safetensors"], ["model.fp16.safetensors"]])
def test_missing_data(silt: Silt, rng: np.random.Generator, tmp_path: Path, others: list[str]) -> None:
    """A shard whose tensors are nowhere is missing, whatever lies beside the others."""
    model = small_model(rng)
    for name in ("base", "fine"):
        (tmp_path / name).mkdir()
        write_safetensors(tmp_path / name / "model.safetensors", model)
    whole = write_sharded(tmp_path / "cut", tuned_model(rng, model), 3)
    (whole / "model-00003-of-00003.safetensors").unlink()
    for name in others:
        write_safetensors(whole / name, {"another.weight": next(iter(model.values()))})
    before = listing(tmp_path)
    for pair in ((tmp_path / "base", whole), (whole, tmp_path / "fine")):
        said = silt.exits(MISSING, "pack", *pair, "-o", tmp_path / "out.silt").stderr
        assert "model-00003-of-00003.safetensors" in said and "download the whole checkpoint" in said
    assert listing(tmp_path) == before


def test_no_data_at_all(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """An index alone."""
    base = write_sharded(tmp_path / "base", small_model(rng), 2)
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / INDEX).write_text((base / INDEX).read_text())
    assert "model-00001-of-00002" in silt.exits(MISSING, "pack", base, alone, "-o", tmp_path / "o.silt").stderr
    (alone / INDEX).write_text('{"weight_map": {}}')
    assert "names no tensor" in silt.exits(MISSING, "pack", base, alone, "-o", tmp_path / "o.silt").stderr


def test_two_sets_without_index(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Nobody can say which of two sets is the model."""
    base = write_sharded(tmp_path / "base", small_model(rng), 2)
    both = write_sharded(tmp_path / "both", small_model(rng), 2)
    write_sharded(both, small_model(rng), 3)
    (both / INDEX).unlink()
    said = silt.exits(MALFORMED, "pack", base, both, "-o", tmp_path / "o.silt").stderr
    assert "which files are the model?" in said
