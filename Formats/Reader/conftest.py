"""Where the tests find the vectors and the modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

READER = Path(__file__).resolve().parent
sys.path[:0] = [str(READER), str(READER.parent / "Vectors")]


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker of tests that take long."""
    config.addinivalue_line("markers", "slow: takes long; `-m 'not slow'` leaves it out")
