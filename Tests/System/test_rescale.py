"""`silt rescale` and `silt verify --update`: another q without another packing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkpoints import read_safetensors
from counting import counts, needs_counter, size
from program import (
    DIFFERS,
    FAILED,
    OK,
    USAGE,
    Lossy,
    Silt,
    check_with_reader,
    chunks_of,
    digest,
    digests,
    listing,
    manifest_of,
    silt_entries,
)
from pruning import added, dare, delta_of, kept_at_random
from silt_seal import Draft, seal
from test_lossy import LOSSY_NAMES, check_dare

Pairs = dict[str, tuple[Path, Path]]
OPTIONS = ("--method", "random", "--drop", "0.9", "--values", "f32")


@pytest.fixture(scope="module")
def packed(silt: Silt, pairs: Pairs, tmp_path_factory: pytest.TempPathFactory) -> Lossy:
    """DARE with p = .9 of the F32 pair. Tests copy it."""
    return silt.lossy(*pairs["F32"], tmp_path_factory.mktemp("packed"), *OPTIONS)


@pytest.fixture
def file(packed: Lossy, tmp_path: Path) -> Path:
    """A copy of the packed file."""
    return Path(shutil.copyfile(packed.file, tmp_path / "m.silt"))


def check_same_chunks(before: Path, after: Path) -> None:
    """Payload and chunk table are the same bytes."""
    old, new = silt_entries(before), silt_entries(after)
    assert old.keys() == new.keys()
    assert old["silt.payload"] == new["silt.payload"] and old["silt.chunks"] == new["silt.chunks"]


@pytest.mark.parametrize("q", [0.02, 0.5, 3])
def test_same_as_packing_with_it(
    silt: Silt, pairs: Pairs, packed: Lossy, file: Path, tmp_path: Path, q: float
) -> None:
    """The result is that of packing with this q, and only the manifest and the header change."""
    base, fine = pairs["F32"]
    report = silt.json("rescale", file, "--q", q)
    assert report["tensors"] == len(LOSSY_NAMES) and report["bytes"] == file.stat().st_size
    assert report["result"] is None
    check_same_chunks(packed.file, file)
    silt.unpack(base, file, tmp_path / "out")
    check_with_reader(base, file, tmp_path / "out")
    direct = silt.lossy(base, fine, tmp_path / "direct", *OPTIONS, "--q", q)
    assert digests(tmp_path / "out") == digests(direct.output)
    check_dare(pairs["F32"], direct.tensors, set(LOSSY_NAMES), 0.9, q)
    listed = listing(tmp_path)
    assert not [name for name in listed if name.startswith((".", "m.silt."))], f"left over: {listed}"


@needs_counter
def test_work(silt: Silt, counter: Path, file: Path, tmp_path: Path) -> None:
    """The chunks do not come here: the kernel copies the file once, or shares its blocks, whatever the tensors have."""
    found = counts(silt, counter, tmp_path, "rescale", file, "--q", 0.2)
    through_memory = found["bytes_read"] + found["bytes_written"]
    assert found["bytes_copied"] + found["bytes_written"] >= size(file)
    assert found["bytes_copied"] <= size(file)
    assert through_memory <= 40_000 or found["bytes_copied"] == 0, "copied twice"


def reseal(path: Path, change: Callable[[dict[str, Any]], None], padding: int | None = None) -> None:
    """The file with another manifest."""
    manifest = manifest_of(path)
    change(manifest)
    path.write_bytes(seal(Draft(manifest, chunks_of(path), contract="lossy"), padding=padding))


@pytest.mark.parametrize("padding", [0, 8, 1000])
def test_header_of_another_length(
    silt: Silt, pairs: Pairs, packed: Lossy, file: Path, tmp_path: Path, padding: int
) -> None:
    """Other writers' headers are shorter or longer than ours: the chunks move, and stay what they are."""
    reseal(file, lambda _: None, padding)
    silt.ok("rescale", file, "--q", 0.5)
    check_same_chunks(packed.file, file)
    silt.unpack(pairs["F32"][0], file, tmp_path / "out")
    check_with_reader(pairs["F32"][0], file, tmp_path / "out")


def test_rows_of_another_writer(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """Rows that a mask stores may be those that were not pruned, or those that moved: the manifest must tell which."""
    base, fine = pairs["F32"]
    rows = silt.lossy(base, fine, tmp_path / "rows", "--method", "rows", "--drop", "0.5", "--values", "f32").file
    dense = silt.lossy(base, fine, tmp_path / "dense", "--method", "dense", "--values", "f32").file
    for path in (rows, dense):
        for name in ("nothing", "ours", "theirs"):
            copy = Path(shutil.copyfile(path, tmp_path / "copy.silt"))

            def change(manifest: dict[str, Any], name: str = name) -> None:
                if name == "nothing":
                    del manifest["packing"]
                elif name == "theirs":
                    manifest["packing"]["method"] = "many rows"

            reseal(copy, change)
            before = digest(copy)
            result = silt.run("rescale", copy, "--q", "0.5")
            if name == "ours" and path == rows:
                assert result.returncode == OK
                continue
            assert digest(copy) == before
            if name == "ours":
                assert "no pruned tensor" in result.stderr
            else:
                # The dense file has no row that did not move, so it needs no such word.
                expected = "does not say whether the rows" if path == rows else "no pruned tensor"
                assert expected in result.stderr and result.returncode == (USAGE if path == rows else FAILED)


def test_digests_are_unknown_until_updated(
    silt: Silt, pairs: Pairs, packed: Lossy, file: Path, tmp_path: Path
) -> None:
    """inspect and verify say so; `verify --update` computes digests, and with --against the receipt."""
    base, fine = pairs["F32"]
    silt.ok("rescale", file, "--q", "0.2")
    inspected = silt.json("inspect", file)
    unknown = {entry["name"] for entry in inspected["tensors"] if entry["digest"] is None}
    assert unknown == set(LOSSY_NAMES)
    assert inspected["receipt"] is None and not inspected["result"]["root"]
    assert "result" not in inspected["metadata"]
    assert silt.json("verify", base, file)["unknown_digests"] == len(LOSSY_NAMES)
    updated = silt.json("verify", base, file, "--update", "--against", fine)
    assert updated["unknown_digests"] == 0 and updated["identical"] is True
    direct = silt.lossy(base, fine, tmp_path / "direct", *OPTIONS, "--q", "0.2")
    again, wanted = silt.json("inspect", file), silt.json("inspect", direct.file)
    for key in ("result", "receipt", "tensors"):
        assert again[key] == wanted[key], key
    check_same_chunks(packed.file, file)
    check_with_reader(base, file, direct.output)
    assert again["result"]["root"] == silt.json("unpack", base, file, "-o", tmp_path / "out")["result"]


def test_update_without_the_fine_tune(silt: Silt, pairs: Pairs, file: Path) -> None:
    """Digests need the base only; the receipt stays unknown until the fine-tune is given."""
    base, fine = pairs["F32"]
    silt.ok("rescale", file, "--q", "0.2")
    report = silt.json("verify", base, file, "--update")
    assert report["unknown_digests"] == 0 and report["receipt"] is None
    silt.ok("verify", base, file, "--update", "--against", fine)
    assert silt.json("inspect", file)["receipt"] is not None


def test_with_base(silt: Silt, pairs: Pairs, packed: Lossy, file: Path, tmp_path: Path) -> None:
    """--base computes the digests at once, --against the receipt too; q back to dare gives the first result."""
    base, fine = pairs["F32"]
    assert silt.json("rescale", file, "--q", "0.3", "--base", base)["result"]
    other = silt.json("inspect", file)
    assert all(entry["digest"] for entry in other["tensors"]) and other["receipt"] is None
    silt.ok("rescale", file, "--q", "dare", "--base", base, "--against", fine)
    back, first = silt.json("inspect", file), silt.json("inspect", packed.file)
    assert back["result"] == first["result"] and back["receipt"] == first["receipt"]
    silt.unpack(base, file, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(packed.output)


def test_none(silt: Silt, pairs: Pairs, file: Path, tmp_path: Path) -> None:
    """Without q the values are added as they are."""
    silt.ok("rescale", file, "--q", "none")
    silt.unpack(pairs["F32"][0], file, tmp_path / "out")
    tensors = read_safetensors(tmp_path / "out" / "model.safetensors")
    check_dare(pairs["F32"], tensors, set(LOSSY_NAMES), 0.9, 1)


def test_some_tensors(silt: Silt, pairs: Pairs, file: Path, tmp_path: Path) -> None:
    """--only changes those that match; the others keep their q and their digests."""
    assert silt.json("rescale", file, "--q", "0.2", "--only", "query|conv")["tensors"] == 2
    silt.unpack(pairs["F32"][0], file, tmp_path / "out")
    tensors = read_safetensors(tmp_path / "out" / "model.safetensors")
    base, fine = (read_safetensors(path / "model.safetensors") for path in pairs["F32"])
    changed = {name for name in LOSSY_NAMES if "query" in name or "conv" in name}
    names = set(LOSSY_NAMES) - changed
    exact = {name: fine[name] for name in changed}
    check_dare(pairs["F32"], tensors | exact, names, 0.9)
    dared = {name: tensors[name] for name in changed} | {n: fine[n] for n in fine if n not in changed}
    check_dare(pairs["F32"], dared, changed, 0.9, 0.2)
    unknown = {entry["name"] for entry in silt.json("inspect", file)["tensors"] if entry["digest"] is None}
    assert unknown == changed and base.keys() == tensors.keys()


@pytest.mark.parametrize("q", ["0", "-1", "nan", "inf", "-inf", "1e60", "1e-60", "many", ""])
def test_wrong_q(silt: Silt, packed: Lossy, file: Path, q: str) -> None:
    """Refused as wrong usage, and the file is as it was."""
    silt.exits(USAGE, "rescale", file, f"--q={q}")
    assert digest(file) == digest(packed.file)
    assert listing(file.parent) == {"m.silt"}


def test_nothing_to_rescale(silt: Silt, pairs: Pairs, packed: Lossy, tmp_path: Path) -> None:
    """An exact file has no q; a name that matches nothing, and a file without masks, change nothing."""
    base, fine = pairs["F32"]
    exact, dense = tmp_path / "exact.silt", tmp_path / "dense.silt"
    silt.ok("pack", base, fine, "-o", exact)
    silt.ok("pack", base, fine, "-o", dense, "--method", "dense")
    copy = Path(shutil.copyfile(packed.file, tmp_path / "m.silt"))
    for path, words in ((exact, ()), (dense, ()), (copy, ("--only", "nothing")), (copy, ("--only", "("))):
        before = digest(path)
        result = silt.run("rescale", path, "--q", "0.5", *words)
        assert result.returncode not in (OK, DIFFERS) and "error:" in result.stderr
        assert digest(path) == before
    assert listing(tmp_path) == {"exact.silt", "dense.silt", "m.silt"}


def test_wrong_base_changes_nothing(silt: Silt, pairs: Pairs, packed: Lossy, file: Path) -> None:
    """q cannot be changed and the digests then fail: the file is replaced whole or not at all."""
    result = silt.run("rescale", file, "--q", "0.2", "--base", pairs["F16"][0])
    assert result.returncode not in (OK, DIFFERS)
    assert digest(file) == digest(packed.file)
    assert listing(file.parent) == {"m.silt"}


@pytest.mark.parametrize("mask", ["bitmask", "gaps"])
def test_dare_of_stored_masks(silt: Silt, pairs: Pairs, tmp_path: Path, mask: str) -> None:
    """Stored positions do not say with which p they were chosen: `--q dare` is refused, a number is not."""
    base, fine = pairs["BF16"]
    found = silt.lossy(base, fine, tmp_path, *OPTIONS, "--mask", mask)
    before = digest(found.file)
    silt.exits(64, "rescale", found.file, "--q", "dare")
    assert digest(found.file) == before
    silt.ok("rescale", found.file, "--q", "0.5")
    silt.ok("rescale", found.file, "--q", "0.1")
    silt.unpack(base, found.file, tmp_path / "again")
    assert digests(tmp_path / "again") == digests(found.output)


def test_integer_values(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """Quantised values: a step is divided with them, scales of groups multiply first."""
    base, fine = pairs["BF16"]
    for group in (0, 32):
        options = ("--method", "random", "--drop", "0.9", "--values", "int4", "--group", group)
        found = silt.lossy(base, fine, tmp_path / f"a{group}", *options)
        direct = silt.lossy(base, fine, tmp_path / f"b{group}", *options, "--q", "0.25")
        silt.ok("rescale", found.file, "--q", "0.25", "--base", base)
        silt.unpack(base, found.file, tmp_path / f"c{group}")
        assert digests(tmp_path / f"c{group}") == digests(direct.output)
        values = np.frombuffer(direct.tensors[LOSSY_NAMES[2]].data, "<u2")
        assert values.size == 700 * 401


def test_factors_by_tensor(silt: Silt, pairs: Pairs, tmp_path: Path) -> None:
    """A file with a number, or one for each row, by tensor: value / q_i, computed in numpy; others keep their q."""
    base, fine = pairs["F32"]
    found = silt.lossy(base, fine, tmp_path, *OPTIONS)
    first, second = LOSSY_NAMES[:2]
    before = read_safetensors(base / "model.safetensors")
    rows = before[second].shape[0]
    factors = {first: 0.25, second: [0.1 + 0.01 * row for row in range(rows)]}
    (tmp_path / "q.json").write_text(json.dumps(factors))
    silt.ok("rescale", found.file, "--q", f"@{tmp_path / 'q.json'}", "--base", base, "--against", fine)
    silt.ok("verify", base, found.file, "--against", fine)
    silt.unpack(base, found.file, tmp_path / "again")
    tensors = read_safetensors(tmp_path / "again" / "model.safetensors")
    assert tensors[first] == dare(first, before[first], read_safetensors(fine / "model.safetensors")[first], 0.9, 0.25)
    source = delta_of(before[second], read_safetensors(fine / "model.safetensors")[second]).reshape(rows, -1)
    kept = kept_at_random(second, source.size, 0.9).reshape(source.shape)
    divisors = np.array(factors[second], "<f8").astype("<f4")[:, None]
    change = (np.where(kept, source, np.float32(0)) / divisors).ravel()
    assert tensors[second] == added(before[second], change)
    assert tensors[LOSSY_NAMES[2]] == found.tensors[LOSSY_NAMES[2]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"no.such.tensor": 0.5}', '{"%s": 0}', '{"%s": [0.1, 0.2]}', '{"%s": "0.1"}', '{"%s": []}']
)
def test_bad_factors(silt: Silt, pairs: Pairs, tmp_path: Path, text: str) -> None:
    """A file that makes no sense is wrong usage; the Silt file stays."""
    base, fine = pairs["BF16"]
    found = silt.lossy(base, fine, tmp_path, *OPTIONS)
    before = digest(found.file)
    (tmp_path / "q.json").write_text(text.replace("%s", LOSSY_NAMES[0]))
    silt.exits((USAGE, 2), "rescale", found.file, "--q", f"@{tmp_path / 'q.json'}")
    assert digest(found.file) == before
