"""What is read must outlive the work: inputs as outputs, rescaling that fails, files that nobody could read again."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import zstandard

from checkpoints import Tensor, random_tensor, small_model, tuned_model, write_model, write_safetensors
from program import CANNOT_CREATE, MALFORMED, MISSING, OK, ROOT, Silt, digest, digests, listing

sys.path.insert(0, str(ROOT / "Formats" / "Reader"))

from silt import read_container
from silt_seal import Draft, seal


@pytest.fixture
def chain(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> Path:
    """Three checkpoints a, b and c, as files, and the files ab and bc between them."""
    tensors = small_model(rng)
    for name in "abc":
        write_safetensors(tmp_path / f"{name}.safetensors", tensors)
        tensors = tuned_model(rng, tensors)
    for link in ("ab", "bc"):
        old, new = (tmp_path / f"{name}.safetensors" for name in link)
        silt.pack(old, new, tmp_path / f"{link}.silt", check=False)
    return tmp_path


@pytest.mark.parametrize("command", ["unpack", "squash"])
@pytest.mark.parametrize("target", ["a.safetensors", "ab.silt", "bc.silt"])
def test_chain_spares_its_inputs(silt: Silt, chain: Path, command: str, target: str) -> None:
    """--force replaces neither the base nor a link, the last one or another."""
    before = digests(chain)
    words = [chain / name for name in ("a.safetensors", "ab.silt", "bc.silt")]
    silt.exits(CANNOT_CREATE, command, *words, "-o", chain / target, "--force")
    assert digests(chain) == before


def test_sync_spares_the_update(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """A base whose files have the names of the update's does not take its place."""
    model = small_model(rng)
    old, new = (write_model(tmp_path / name, tensors) for name, tensors in (
        ("old", model), ("new", tuned_model(rng, model))))  # fmt: skip
    update, base = tmp_path / "update", tmp_path / "base"
    silt.ok("sync", "write", old, new, "--version", 2, "--base-version", 1, "-o", update)
    shard = next(update.glob("*.safetensors")).name
    write_safetensors(base / shard, model)
    index = {"metadata": {}, "weight_map": dict.fromkeys(model, shard)}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    before = digests(update)
    for target in (update, update / shard):
        silt.exits(CANNOT_CREATE, "sync", "apply", base, update, "-o", target, "--force")
    assert digests(update) == before


def test_failed_rescale_changes_nothing(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """With a wrong base, or a fine-tuned checkpoint that is not there, the old q, digests and receipt stay."""
    values = rng.standard_normal((3, 40, 24)).astype("<f4")
    base, fine, wrong = (
        write_safetensors(tmp_path / f"{name}.safetensors", {"a.weight": Tensor("F32", (40, 24), data.tobytes())})
        for name, data in zip(("base", "fine", "wrong"), values, strict=True)
    )
    path = tmp_path / "lossy.silt"
    silt.pack(base, fine, path, "--method", "random", "--drop", 0.5, check=False)
    before = digests(tmp_path)
    rescale = ["rescale", path, "--q", 0.7, "--base"]
    silt.exits(MALFORMED, *rescale, wrong)
    silt.exits(MISSING, *rescale, tmp_path / "none")
    silt.exits(MISSING, *rescale, base, "--against", tmp_path / "none")
    assert digests(tmp_path) == before
    silt.ok(*rescale, base, "--against", fine)
    silt.ok("verify", base, path, "--against", fine)


def draft(vector: str) -> Draft:
    """A valid vector, to be changed."""
    data = (ROOT / "Formats" / "Vectors" / "valid" / f"{vector}.silt").read_bytes()
    size = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + size]), data[8 + size :]
    begin, end = header["silt.manifest"]["data_offsets"]
    manifest = json.loads(zstandard.ZstdDecompressor().decompress(body[begin:end]))
    begin, end = header["silt.chunks"]["data_offsets"]
    sizes = [int.from_bytes(body[at : at + 4], "little") for at in range(begin, end, 12)]
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    chunks = [body[start : start + size] for start, size in zip(starts, sizes, strict=True)]
    return Draft(manifest, chunks, manifest["contract"])


def test_dare_of_nearly_nothing(silt: Silt, tmp_path: Path) -> None:
    """Masks that together keep less than 5e-10 do not round q to 0, which no reader takes."""
    changed = draft("lossy-combined-masks")
    tensors = changed.manifest["files"][0]["tensors"]
    matrix = tensors["seeded"]["parts"][0]["components"][0]["matrix"]
    for mask in matrix["masks"]:
        mask["threshold"] = 4_294_960_000
    changed.chunks[matrix["chunk"]] = b""
    for tensor in tensors.values():
        for source in tensor["sources"]:
            source.setdefault("digest", tensor["digest"])
        del tensor["digest"]
    del changed.manifest["result"]["root"]
    path = tmp_path / "dare.silt"
    path.write_bytes(seal(changed))
    silt.ok("inspect", path)
    silt.ok("rescale", path, "--q", "dare", "--only", "^seeded$")
    silt.ok("inspect", path)


def test_export_of_a_scalar(silt: Silt, tmp_path: Path) -> None:
    """The factors of a tensor of rank 0 have an extent of 1."""
    for transposed in (False, True):
        changed = draft("lossy-ranks")
        entries = [{"name": name, "of": "scalar", "factor": name, "transposed": transposed} for name in ("left", "right")]
        changed.manifest["adapter"] = {"config": "{}", "tensors": entries}
        path = tmp_path / f"scalar-{transposed}.silt"
        path.write_bytes(seal(changed))
        silt.ok("export", path, "--lora", tmp_path / f"out-{transposed}")


@pytest.mark.slow
def test_manifest_of_many_equal_tensors(silt: Silt, tmp_path: Path) -> None:
    """A manifest that compresses by more than 64 is stored so that it can be read."""
    ones, zeros = (Tensor("BF16", (4, 4), pattern * 16) for pattern in (b"\x80\x3f", b"\0\0"))
    names = [f"t.{number:06}.weight" for number in range(20_000)]
    base = write_safetensors(tmp_path / "base.safetensors", dict.fromkeys(names, ones))
    fine = write_safetensors(tmp_path / "fine.safetensors", dict.fromkeys(names, zeros))
    silt.pack(base, fine, tmp_path / "m.silt", "--method", "lowrank", "--rank", 1, check=False)
    silt.ok("verify", base, tmp_path / "m.silt")
    assert read_container((tmp_path / "m.silt").read_bytes()) is not None


@pytest.mark.parametrize("command", ["verify", "rescale"])
def test_grown_rows_past_a_cell(silt: Silt, rng: np.random.Generator, tmp_path: Path, command: str) -> None:
    """Cells that lie past the base's end are no part of the distance."""
    long = random_tensor(rng, "F32", (300_000, 1), specials=False)
    short = Tensor("F32", (97_516, 1), long.data[: 4 * 97_516])
    moved = Tensor("F32", long.shape, (np.frombuffer(long.data, "<f4") + np.float32(0.01)).tobytes())
    base = write_safetensors(tmp_path / "base.safetensors", {"a.weight": short})
    fine = write_safetensors(tmp_path / "fine.safetensors", {"a.weight": moved})
    silt.pack(base, fine, tmp_path / "m.silt", "--method", "random", "--only", ".", check=False)
    if command == "rescale":
        silt.ok("rescale", tmp_path / "m.silt", "--q", 0.5, "--base", base, "--against", fine)
    silt.ok("verify", base, tmp_path / "m.silt", "--against", fine)


@pytest.mark.parametrize("shape", [(0, 5), (3, 300_000)])
def test_sparse_adapter_of_no_matrix(silt: Silt, tmp_path: Path, shape: tuple[int, int]) -> None:
    """A base tensor without rows, or of rows that the format's matrices do not have, is refused by name."""
    base = write_model(tmp_path / "base", {"q.weight": Tensor("F32", shape, bytes(4 * shape[0] * shape[1]))})
    adapter, count = tmp_path / "adapter", int(shape[0] > 0)
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type":"SHIRA","r":2,"target_modules":["q"]}')
    prefix = "base_model.model.q.shira_"
    write_safetensors(adapter / "adapter_model.safetensors", {
        prefix + "weight": Tensor("F32", (count,), bytes(4 * count)),
        prefix + "indices": Tensor("I32", (2, count), bytes(8 * count)),
    })  # fmt: skip
    result = silt.exits(MALFORMED, "pack", base, "--lora", adapter, "-o", tmp_path / "m.silt")
    assert ("ZeRO-3" if shape[0] == 0 else "q.weight") in result.stderr
    assert listing(tmp_path) & {"m.silt"} == set()


@pytest.mark.parametrize("columns", [2**63 - 1, 2**62, 2**61])
def test_sparse_layout_of_giant_rows(silt: Silt, tmp_path: Path, columns: int) -> None:
    """An empty tensor whose rows cannot be counted is refused."""
    directory = tmp_path / "sparse"
    empty = {"a.compressed": ("F64", (0,)), "a.bitmask": ("U8", (0, (columns + 7) // 8)), "a.row_offsets": ("I64", (0,))}
    tensors = {name: Tensor(dtype, shape, b"") for name, (dtype, shape) in empty.items()}
    tensors["a.shape"] = Tensor("I64", (2,), np.array([0, columns], "<i8").tobytes())
    write_safetensors(directory / "model.safetensors", tensors)
    sparsity = {"quant_method": "compressed-tensors", "sparsity_config": {"format": "sparse-bitmask"}}
    (directory / "config.json").write_text(json.dumps({"quantization_config": sparsity}))
    silt.exits(MALFORMED, "convert", directory, "--to", "dense", "-o", tmp_path / "dense")


def test_adapter_configuration_is_no_output(silt: Silt, rng: np.random.Generator, tmp_path: Path) -> None:
    """--force does not replace the configuration of the adapter that is packed."""
    base = write_model(tmp_path / "base", {"q.weight": random_tensor(rng, "F32", (8, 6), specials=False)})
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    config = adapter / "adapter_config.json"
    config.write_text('{"peft_type":"LORA","r":2,"lora_alpha":2,"target_modules":["q"]}')
    prefix = "base_model.model.q.lora_"
    factors = {"A.weight": (2, 6), "B.weight": (8, 2)}
    write_safetensors(adapter / "adapter_model.safetensors", {
        prefix + name: random_tensor(rng, "F32", shape, specials=False) for name, shape in factors.items()
    })  # fmt: skip
    before = digest(config)
    silt.exits(CANNOT_CREATE, "pack", base, "--lora", adapter, "-o", config, "--force")
    assert digest(config) == before
    shutil.copytree(adapter, tmp_path / "again")
    assert silt.run("pack", base, "--lora", adapter, "-o", tmp_path / "m.silt").returncode == OK
