"""Deltas on deltas: `silt unpack BASE A B` and `silt squash`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from checkpoints import lossy_pair, read_safetensors, tuned_model, write_model, write_sharded
from program import MALFORMED, USAGE, Silt, check_with_reader, digests, listing


@dataclass(frozen=True)
class Links:
    """Three files: `first` of the base, `second` of the first's result, `third` of the second's."""

    base: Path
    files: tuple[Path, ...]
    results: tuple[Path, ...]


def make_links(silt: Silt, work: Path, contracts: str) -> Links:
    """A chain whose links are exact (e) or lossy (l)."""
    rng = np.random.default_rng(5)
    base_tensors, fine_tensors = lossy_pair(rng, "BF16")
    base = write_model(work / "base", base_tensors)
    before, files, results = base, [], []
    for number, contract in enumerate(contracts):
        finite = {name for name in fine_tensors if fine_tensors[name].dtype == "BF16" and fine_tensors[name].data}
        if number:
            moved = lossy_pair(np.random.default_rng(50 + number), "BF16")[1]
            fine_tensors = fine_tensors | {name: moved[name] for name in finite if "wide" not in name}
        fine = write_model(work / f"fine{number}", fine_tensors)
        file, result = work / f"{number}.silt", work / f"result{number}"
        options = ("--method", "random", "--drop", "0.8") if contract == "l" else ()
        silt.ok("pack", before, fine, "-o", file, *options)
        silt.unpack(before, file, result)
        before = result
        files.append(file)
        results.append(result)
    return Links(base, tuple(files), tuple(results))


@pytest.fixture(scope="module", params=["eee", "lel", "lll"])
def links(silt: Silt, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Links:
    """Chains of exact links, of lossy ones, and of both."""
    return make_links(silt, tmp_path_factory.mktemp("links"), request.param)


@pytest.mark.slow
def test_unpack(silt: Silt, links: Links, tmp_path: Path) -> None:
    """One, two and three links give what they gave one by one, and nothing is left over."""
    for count in (1, 2, 3):
        output = tmp_path / str(count)
        report = silt.json("unpack", links.base, *links.files[:count], "-o", output)
        assert digests(output) == digests(links.results[count - 1])
        assert report["tensors"] == len(read_safetensors(output / "model.safetensors"))
    assert {path.name for path in tmp_path.iterdir()} == {"1", "2", "3"}


def test_wrong_order(silt: Silt, links: Links, tmp_path: Path) -> None:
    """Refused before anything is written."""
    first, second, third = links.files
    # The second of these is in order, but its base is not the chain's.
    for files in ((second, first), (second, third), (first, third), (third, second, first), (first, first)):
        result = silt.exits(MALFORMED, "unpack", links.base, *files, "-o", tmp_path / "out")
        silt.exits(MALFORMED, "squash", links.base, *files, "-o", tmp_path / "out.silt")
        assert "base-" in result.stderr
        assert listing(tmp_path) == set()


def test_squash(silt: Silt, links: Links, tmp_path: Path) -> None:
    """One exact file with the same result, which the independent reader rebuilds too."""
    output = tmp_path / "c.silt"
    report = silt.json("squash", links.base, *links.files, "-o", output)
    assert report["contract"] == "exact"
    assert report["bytes"] == output.stat().st_size
    assert listing(tmp_path) == {"c.silt"}
    silt.unpack(links.base, output, tmp_path / "out")
    assert digests(tmp_path / "out") == digests(links.results[2])
    check_with_reader(links.base, output, links.results[2])
    silt.ok("verify", links.base, output, "--against", links.results[2])


def test_squash_one(silt: Silt, links: Links, tmp_path: Path) -> None:
    """One file squashed is the exact delta of its result."""
    silt.ok("squash", links.base, links.files[0], "-o", tmp_path / "c.silt")
    silt.unpack(links.base, tmp_path / "c.silt", tmp_path / "out")
    assert digests(tmp_path / "out") == digests(links.results[0])


def test_outputs_are_kept(silt: Silt, links: Links, tmp_path: Path) -> None:
    """An output that exists is replaced with --force only."""
    output = tmp_path / "c.silt"
    output.write_text("mine")
    assert silt.run("squash", links.base, *links.files, "-o", output).returncode == 73
    assert output.read_text() == "mine"
    silt.ok("squash", links.base, *links.files, "-o", output, "--force")
    assert listing(tmp_path) == {"c.silt"}
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "note.txt").write_text("mine")
    assert silt.run("unpack", links.base, *links.files, "-o", kept).returncode == 73
    assert listing(tmp_path) == {"c.silt", "kept", "kept/note.txt"}


def test_no_file(silt: Silt, links: Links, tmp_path: Path) -> None:
    """A chain has at least one link."""
    silt.exits(USAGE, "unpack", links.base, "-o", tmp_path / "out")
    silt.exits(USAGE, "squash", links.base, "-o", tmp_path / "out.silt")
    assert listing(tmp_path) == set()


def test_damaged_link(silt: Silt, links: Links, tmp_path: Path) -> None:
    """Damage anywhere in the chain is refused, and nothing is left; or nobody needs the bytes, and the result is right."""
    for index in range(3):
        data = bytearray(links.files[index].read_bytes())
        data[len(data) // 2] ^= 0x10
        damaged = tmp_path / "damaged.silt"
        damaged.write_bytes(data)
        files = [*links.files[:index], damaged, *links.files[index + 1 :]]
        output, squashed = tmp_path / "out", tmp_path / "out.silt"
        for words in (("unpack", links.base, *files, "-o", output), ("squash", links.base, *files, "-o", squashed)):
            result = silt.run(*words)
            # The last link is rebuilt whole; of those before it, what the next one refers to.
            assert result.returncode == MALFORMED or (result.returncode == 0 and index < 2), result.stderr
        if squashed.exists():
            silt.unpack(links.base, squashed, tmp_path / "again")
            assert digests(tmp_path / "again") == digests(links.results[2])
            squashed.unlink()
            shutil.rmtree(tmp_path / "again")
        if output.exists():
            assert digests(output) == digests(links.results[2])
            shutil.rmtree(output)
        assert listing(tmp_path) == {"damaged.silt"}


def test_rescaled_link(silt: Silt, links: Links, tmp_path: Path) -> None:
    """With another q the first result is not what the second was packed against."""
    if silt.json("inspect", links.files[0])["contract"] == "exact":
        pytest.skip("an exact link has no q")
    other = tmp_path / "other.silt"
    other.write_bytes(links.files[0].read_bytes())
    silt.ok("rescale", other, "--q", "0.9")
    silt.exits(MALFORMED, "unpack", links.base, other, links.files[1], "-o", tmp_path / "out")
    assert listing(tmp_path) == {"other.silt"}


def test_chain_of_shards(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """Checkpoints in shards, cut differently at each link, with files of their own."""
    model, _ = lossy_pair(rng, "BF16")
    base = write_sharded(tmp_path / "base", model, 2)
    before, tensors, files = base, model, []
    for number, shards in enumerate((3, 1)):
        tensors = tuned_model(rng, tensors)
        fine = write_sharded(tmp_path / f"fine{number}", tensors, shards)
        (fine / "note.txt").write_text(f"link {number}")
        files.append(tmp_path / f"{number}.silt")
        silt.ok("pack", before, fine, "-o", files[-1])
        before = fine
    silt.unpack(base, files[0], tmp_path / "one")
    assert digests(tmp_path / "one") == digests(tmp_path / "fine0")
    silt.ok("unpack", base, *files, "-o", tmp_path / "two")
    assert digests(tmp_path / "two") == digests(tmp_path / "fine1")
