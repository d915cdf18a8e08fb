"""The independent reader on every file that the Swift tests packed (`make test` keeps them in `.build/packed`)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from program import ROOT

sys.path.append(str(ROOT / "Formats" / "Reader"))
from silt_reader import compare, rebuild_files

KEPT = Path(os.environ.get("SILT_KEEP_PACKED", ROOT / ".build" / "packed"))
CASES = sorted(KEPT.iterdir()) if KEPT.is_dir() else []


@pytest.mark.skipif(not CASES, reason="the Swift tests kept nothing: run them with SILT_KEEP_PACKED")
def test_there_are_many() -> None:
    """The Swift tests pack dozens of files; fewer would mean that they no longer keep them."""
    assert len(CASES) >= 50


@pytest.mark.parametrize("case", CASES, ids=[case.name[:8] for case in CASES])
def test_reader_agrees(case: Path) -> None:
    """Every file comes back byte for byte."""
    form, files = rebuild_files(case / "base", case / "packed.silt")
    assert files
    assert not compare(form, files, case / "result")
