"""Write all vectors: bases/, valid/ and invalid/ beside this file. The committed files are the truth.

The same versions of numpy, zstandard and lz4 give the same bytes; others may code a chunk differently, which
makes other valid files.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [str(ROOT), str(ROOT.parent / "Reader")]

import base_faults  # noqa: E402, F401
import chunk_faults  # noqa: E402, F401
import component_faults  # noqa: E402, F401
import container_faults  # noqa: E402, F401
import contract_faults  # noqa: E402, F401
import evaluation_faults  # noqa: E402, F401
import manifest_faults  # noqa: E402, F401
import matrix_faults  # noqa: E402, F401
import source_faults  # noqa: E402, F401
import valid_codings  # noqa: E402, F401
import valid_components  # noqa: E402, F401
import valid_layouts  # noqa: E402, F401
import valid_lossy  # noqa: E402, F401
import valid_matrices  # noqa: E402, F401
import valid_sources  # noqa: E402, F401
import valid_tied  # noqa: E402, F401
from bases import make  # noqa: E402
from faults import INVALID  # noqa: E402
from silt import Base, read_container, read_manifest, rebuild  # noqa: E402
from silt.errors import given  # noqa: E402
from vectors import VALID, Context  # noqa: E402


def write(path: Path, data: bytes, facts: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    path.with_suffix(".json").write_text(text + "\n")


def sums(data: bytes, base: Path) -> dict[str, str]:
    """The SHA-256 of each file of a result; under the contract lossy, one has to rebuild it to know."""
    container = read_container(data)
    manifest = read_manifest(container)
    if manifest.contract == "exact":
        return {file.path: given(file.sha256) for file in manifest.files}
    files = rebuild(container, manifest, Base(base))
    return {path: hashlib.sha256(content).hexdigest() for path, content in files}


def main() -> None:
    bases = make(ROOT / "bases")
    facts: dict[str, object]
    for name, vector in VALID.items():
        context = Context(np.random.default_rng(zlib.crc32(name.encode())), bases, ROOT)
        base, data = vector(context)
        files = sums(data, ROOT / "bases" / base)
        facts = {"base": f"bases/{base}", "about": vector.__doc__, "files": files}
        write(ROOT / "valid" / f"{name}.silt", data, facts)
    for name, fault in INVALID.items():
        context = Context(np.random.default_rng(zlib.crc32(name.encode())), bases, ROOT)
        case = fault(context)
        facts = {"base": f"bases/{case.base}", "about": case.about, "error": case.error}
        write(ROOT / "invalid" / f"{name}.silt", case.data, facts)
    print(f"{len(VALID)} valid and {len(INVALID)} invalid vectors")


if __name__ == "__main__":
    main()
