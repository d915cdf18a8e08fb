"""The program of Docs/ReadingInSwift.md: it reads what `silt unpack` writes, and links nothing that packs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checkpoints import read_safetensors
from program import Silt


@pytest.fixture(name="reader")
def program(silt: Silt) -> Path:
    """The program, which is built with the command."""
    path = Path(silt.path).parent / "ReadTensor"
    assert path.is_file(), "swift build -c release makes it"
    return path


def test_no_blas_and_no_foundation(reader: Path) -> None:
    """What packs needs OpenBLAS; reading does not."""
    linked = subprocess.run(["ldd", reader], capture_output=True, text=True, check=True).stdout.lower()
    assert "libzstd" in linked
    assert "blas" not in linked and "foundation" not in linked


def test_reads(silt: Silt, reader: Path, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """A tensor, a row, and the first bytes of every file."""
    base, fine = real_pair
    silt.ok("pack", base, fine, "-o", tmp_path / "m.silt")
    name = "bert.embeddings.word_embeddings.weight"
    words = [str(reader), str(base), str(tmp_path / "m.silt"), name]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    tensor = read_safetensors(fine / "model.safetensors")[name]
    assert lines[0].startswith(f"{name}: BF16 [") and lines[0].endswith(f"{len(tensor.data)} bytes")
    assert lines[1] == f"first row: {len(tensor.data) // tensor.shape[0]} bytes"
    sizes = {path.name: path.stat().st_size for path in fine.iterdir()}
    assert len(lines) == 2 + len(sizes)
    for line in lines[2:]:
        file, rest = line.split(": ", 1)
        first = list((fine / file).read_bytes()[:8])
        assert rest == f"{sizes[file]} bytes, begins with {first}"
