"""Fixtures of the tests beside other libraries: the program, and what the Swift tests wrote for these libraries."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import transformers

ROOT = Path(__file__).resolve().parents[2]
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()

Silt = Callable[..., str]


@pytest.fixture(scope="session")
def silt() -> Silt:
    """Runs the program under test (the environment variable SILT, else the release build); says what it printed."""
    program = Path(os.environ.get("SILT", ROOT / ".build" / "release" / "silt")).resolve()
    if not program.exists():
        pytest.exit(f"{program} does not exist: build it with `swift build -c release` or set SILT", returncode=2)

    def run(*words: object) -> str:
        result = subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=300, check=False)
        assert result.returncode == 0, f"silt {' '.join(map(str, words))}\n{result.stderr}"
        return result.stdout

    return run


@pytest.fixture(scope="session")
def written() -> Path:
    """What the Swift tests wrote (`make test-peers` sets SILT_KEEP_PEERS for them and for this)."""
    path = Path(os.environ.get("SILT_KEEP_PEERS", ROOT / ".build" / "peers")).resolve()
    assert path.is_dir(), f"{path} does not exist: run `make test-peers`"
    return path


@pytest.fixture(scope="session")
def committed() -> Path:
    """What other libraries wrote: Tests/Data/peers."""
    return ROOT / "Tests" / "Data" / "peers"
