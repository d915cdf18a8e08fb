"""An independent reader of the Silt format, written from Formats/Silt.md alone.

Section numbers in the docstrings are those of that text. Every module raises `SiltError` for input that the
text does not allow; no other exception is meant to leave the package for a malformed file.
"""

from .base import Base
from .container import Container, read_container
from .errors import SiltError
from .manifest import Manifest, read_manifest
from .rebuild import rebuild

__all__ = ["Base", "Container", "Manifest", "SiltError", "read_container", "read_manifest", "rebuild"]
