"""Fixtures of the system tests: the program, the committed pair, a seeded generator, a small packed pair."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest

from checkpoints import lossy_pair, small_model, tuned_model, write_model
from counting import compile_counter
from program import ROOT, Packed, Silt, program_path


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker of tests that take long."""
    config.addinivalue_line("markers", "slow: takes long; `-m 'not slow'` leaves it out")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test on the real pair takes long, whatever it does; others that do say so themselves."""
    for item in items:
        if "real_pair" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def silt() -> Silt:
    """The program under test."""
    path = program_path()
    if not path.exists():
        pytest.exit(
            f"{path} does not exist: build it with `swift build -c release` or set SILT", returncode=2
        )
    return Silt(path)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that depend on the test's name only."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture(scope="session")
def real_pair() -> tuple[Path, Path]:
    """The pair that is committed with the project."""
    data = ROOT / "Tests" / "Data"
    return data / "small-base", data / "small-foods"


@pytest.fixture(scope="session")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that counts what a run of the program does."""
    return compile_counter(tmp_path_factory.mktemp("counter"))


@pytest.fixture(scope="session")
def small(silt: Silt, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    """A small pair of directories, packed once. Tests must not change it."""
    work = tmp_path_factory.mktemp("small")
    rng = np.random.default_rng(7)
    model = small_model(rng)
    base = write_model(work / "base", model, metadata={"format": "pt"})
    fine = write_model(work / "fine", tuned_model(rng, model), metadata={"format": "pt"})
    (fine / "vocab.txt").write_text("\n".join(f"token{number}" for number in range(400)))
    silt.pack(base, fine, work / "model.silt")
    return Packed(base, fine, work / "model.silt")


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """A base and its fine-tune of finite values, by dtype. Tests must not change them."""
    found = {}
    for dtype in ("BF16", "F16", "F32"):
        work = tmp_path_factory.mktemp(dtype)
        base, fine = lossy_pair(np.random.default_rng(11), dtype)
        found[dtype] = (write_model(work / "base", base), write_model(work / "fine", fine))
    return found
