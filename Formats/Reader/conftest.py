"""Where the tests find the vectors and the modules."""

from __future__ import annotations

import sys
from pathlib import Path

READER = Path(__file__).resolve().parent
sys.path[:0] = [str(READER), str(READER.parent / "Vectors")]
