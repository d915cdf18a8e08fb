"""Invalid vectors: the manifest, its paths, how things add up, and the result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import zstandard

from faults import (
    INVALID,
    Case,
    Edit,
    broken_with,
    directory_sample,
    file,
    make_root,
    part,
    sample,
    tensor,
)
from silt_seal import Draft, manifest_bytes, seal
from vectors import Context


def _set(find: Callable[[Draft], Any], **fields: Any) -> Edit:
    return lambda draft: find(draft).update(fields)


def _drop(find: Callable[[Draft], Any], name: str) -> Edit:
    return lambda draft: find(draft).pop(name)


def _top(draft: Draft) -> Any:
    return draft.manifest


def _first(draft: Draft) -> Any:
    return draft.manifest["files"][0]


def _part(name: str) -> Callable[[Draft], Any]:
    return lambda draft: part(draft, name)


def _tensor(name: str) -> Callable[[Draft], Any]:
    return lambda draft: tensor(draft, name)


def _path(path: str) -> Callable[[Draft], Any]:
    return lambda draft: file(draft, path)


def _digest(name: str) -> Edit:
    """Another digest for a tensor of the result, with its base's left as it is, and the root to match."""

    def edit(draft: Draft) -> None:
        entry = tensor(draft, name)
        for source in entry.get("sources", []):
            source.setdefault("digest", entry["digest"])
        entry["digest"] = "0" * 31 + "1"
        make_root(draft)

    return edit


def _header(old: str, new: str) -> Edit:
    """Change the result's header; its length stays, its SHA-256 does not."""

    def edit(draft: Draft) -> None:
        entry = _first(draft)
        changed = entry["header"].replace(old, new, 1)
        if changed == entry["header"] or len(changed) != len(old) - len(old) + len(entry["header"]):
            raise AssertionError(f"{old} cannot be {new}")
        entry["header"] = changed

    return edit


def _unused_chunk(draft: Draft) -> None:
    draft.chunks.append(b"unused")


def _share_chunk(draft: Draft) -> None:
    part(draft, "d").update(chunk=2, codec="zstd")
    del draft.chunks[5]


def _parts_on_nothing(draft: Draft) -> None:
    tensor(draft, "b")["parts"] = []
    del draft.chunks[2]
    for name, chunk, tables in (("c", 3, 2), ("d", 4, None)):
        part(draft, name)["chunk"] = chunk
        if tables is not None:
            part(draft, name)["tables"] = tables


def _too_many(draft: Draft) -> None:
    entry = tensor(draft, "b")
    entry["parts"].insert(0, {"kind": "whole", "codec": "zstd", "elements": 11, "chunk": 2})
    entry["parts"][1]["chunk"] = 6
    draft.chunks.append(b"")


def _extra_tensor(draft: Draft) -> None:
    _first(draft)["tensors"]["e"] = {"digest": "0" * 32, "parts": []}


def _twice(draft: Draft) -> None:
    draft.manifest["files"].append({**_first(draft), "path": "second.safetensors"})
    draft.manifest["result"]["bytes"] *= 2
    draft.manifest["result"]["tensors"] *= 2


def _as_tables(draft: Draft) -> None:
    part(draft, "c")["tables"] = 1
    del draft.chunks[3]
    part(draft, "c")["chunk"] = 3
    part(draft, "d")["chunk"] = 4


def _exact_integers(draft: Draft) -> None:
    tensor(draft, "b")["sources"] = [{}]
    part(draft, "b").update(kind="exact", codec="rans", tables=0, unit=1)


FROM_DIRECTORY = {
    "path-parent": ("path", "A path has a component ...",
                    _set(_path("docs/notes.txt"), path="docs/../../notes.txt")),
    "path-absolute": ("path", "A path begins with /.", _set(_path("docs/notes.txt"), path="/docs/notes.txt")),
    "path-backslash": ("path", "A path has a backslash.",
                       _set(_path("docs/notes.txt"), path="docs\\notes.txt")),
    "path-dot": ("path", "A path has a component that is a dot.",
                 _set(_path("docs/notes.txt"), path="./notes.txt")),
    "path-empty": ("path", "A path is empty.", _set(_path("docs/notes.txt"), path="")),
    "path-slash-end": ("path", "A path ends with a slash.", _set(_path("docs/notes.txt"), path="docs/")),
    "path-control": ("path", "A path has a byte of 31.", _set(_path("docs/notes.txt"), path="docs/\x1f.txt")),
    "path-long": ("path", "A component has 256 bytes.", _set(_path("docs/notes.txt"), path="é" * 128)),
    "coverage-stored-size": ("coverage", "A stored file has 2^63 - 1 bytes and one chunk.",
                             _set(_path("docs/notes.txt"), bytes=2**63 - 1)),
    "path-deep": ("path", "A path has 65 components.", _set(_path("docs/notes.txt"), path="a/" * 64 + "b")),
    "path-twice": ("path", "A path appears twice.", _set(_path("docs/notes.txt"), path="config.json")),
    "path-file-as-directory": ("path", "A file is a directory of another.",
                               _set(_path("docs/notes.txt"), path="config.json/notes.txt")),
    "path-from": ("path", "The base's file has a path with ...",
                  _set(_path("config.json"), **{"from": "../config.json"})),
    "manifest-chunk-of-empty": ("manifest", "An empty stored file has a chunk.",
                                _set(_path("docs/empty.txt"), chunk=0)),
    "manifest-stored-codec": ("manifest", "The codec of a stored file is lz4.",
                              _set(_path("docs/notes.txt"), codec="lz4")),
    "manifest-file-kind": ("manifest", "The kind of a file is unknown.",
                           _set(_path("docs/notes.txt"), kind="link")),
    "result-stored-digest": ("result", "The digest of a stored file is wrong.",
                             _set(_path("docs/notes.txt"), digest="0" * 32)),
    "base-missing-file": ("base-missing", "The base has no such file.",
                          _set(_path("config.json"), **{"from": "no-config.json"})),
}  # fmt: skip

FROM_SAMPLE = {
    "extension-required": ("extension", "requires has a name.", _set(_top, requires=["x-lossy"])),
    "extension-top-field": ("extension", "The manifest has an unknown field.", _set(_top, comment="")),
    "extension-part-field": ("extension", "A part has an unknown field.", _set(_part("a"), scale=1)),
    "manifest-missing-field": ("manifest", "A file has no sha256.", _drop(_first, "sha256")),
    "manifest-missing-writer": ("manifest", "There is no writer.", _drop(_top, "writer")),
    "manifest-wrong-type": ("manifest", "parts is an object.", _set(_tensor("b"), parts={})),
    "manifest-boolean": ("manifest", "A chunk's index is true.", _set(_part("a"), chunk=True)),
    "manifest-number-too-large": ("manifest", "A number is 2^63.",
                                  lambda draft: draft.manifest["base"].update(parameters=1 << 63)),
    "manifest-negative": ("manifest", "A number is negative.", _set(_part("a"), tables=-1)),
    "manifest-fraction": ("manifest", "A number is written as 1.0.", _set(_part("a"), chunk=1.0)),
    "manifest-upper-case": ("manifest", "A digest has upper-case digits.",
                            _set(_tensor("b"), digest="A" * 32)),
    "manifest-contract": ("manifest", "The manifest's contract is not the metadata's.",
                          _set(_top, contract="lossy")),
    "manifest-form": ("manifest", "The form is unknown.", _set(_top, form="archive")),
    "manifest-kind": ("manifest", "The kind of a part is unknown.", _set(_part("b"), kind="sparse")),
    "manifest-codec": ("manifest", "The codec of a part is unknown.", _set(_part("b"), codec="brotli")),
    "manifest-exact-codec": ("manifest", "The codec of an exact part is zstd.",
                             _set(_part("a"), codec="zstd")),
    "manifest-exact-integers": ("manifest", "A part of I32 is exact.",
                                _exact_integers),
    "manifest-unit": ("manifest", "A unit of 5 does not divide cells of 262,144.", _set(_part("a"), unit=5)),
    "manifest-unit-zero": ("manifest", "A unit is 0.", _set(_part("a"), unit=0)),
    "header-of-result": ("header", "Offsets and shape of a result's tensor disagree.", _header("[0,", "[1,")),
    "header-result-length": ("header", "The result's header describes another length than the file's.",
                             lambda draft: (_first(draft).update(bytes=_first(draft)["bytes"] + 1),
                                            draft.manifest["result"].update(bytes=_first(draft)["bytes"]))),
    "coverage-chunk-twice": ("coverage", "Two parts have the same chunk.", _share_chunk),
    "coverage-unused-chunk": ("coverage", "Nothing has the last chunk.", _unused_chunk),
    "coverage-no-such-chunk": ("coverage", "A part has a chunk that is not in the table.",
                               _set(_part("d"), chunk=6)),
    "coverage-chunk-as-tables": ("coverage", "A chunk of data is another part's chunk of tables.",
                                 _as_tables),
    "coverage-no-parts": ("coverage", "A tensor with elements has no parts.", _parts_on_nothing),
    "coverage-too-many-elements": ("coverage", "Parts have more elements than their tensor.", _too_many),
    "coverage-tensor-missing": ("coverage", "A tensor of the header is not in the manifest.",
                                lambda draft: _first(draft)["tensors"].pop("d")),
    "coverage-tensor-added": ("coverage", "A tensor of the manifest is not in the header.", _extra_tensor),
    "coverage-two-files": ("coverage", "A result of form file has two files.", _twice),
    "coverage-bytes": ("coverage", "The result's bytes are not the sum of its files'.",
                       lambda draft: draft.manifest["result"].update(bytes=1)),
    "limit-parts": ("limit", "A tensor has 1,025 parts.",
                    lambda draft: tensor(draft, "a").update(
                        parts=[{"kind": "copy", "elements": 1}] * 1_024 + [{"kind": "copy"}])),
    "coverage-tensor-count": ("coverage", "The result's number of tensors is wrong.",
                              lambda draft: draft.manifest["result"].update(tensors=2**60)),
    "result-tensor": ("result", "The digest of an exact tensor is wrong.", _digest("a")),
    "result-whole": ("result", "The digest of a whole tensor is wrong.", _digest("d")),
    "result-root": ("result", "The root of the result is not that of its tensors.",
                    lambda draft: draft.manifest["result"].update(root=hashlib.sha256(b"x").hexdigest())),
}  # fmt: skip


def _stored(about: str, make: Callable[[bytes], bytes], error: str = "manifest") -> Callable[[Context], Case]:
    """A fault in the stored bytes of the manifest."""

    def case(context: Context) -> Case:
        draft = sample(context)
        text = json.dumps(draft.manifest, separators=(",", ":")).encode()
        return Case(error, about, seal(draft, manifest=make(text)))

    return case


def _plain_frame(text: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(text)


def _nested(text: bytes) -> bytes:
    return manifest_bytes(b'{"x-deep":' + b"[" * 32 + b"]" * 32 + b"," + text[1:])


STORED = {
    "manifest-not-zstd": _stored("The manifest is not compressed.", lambda text: text),
    "manifest-no-size": _stored("The manifest's zstd frame does not state its size.", _plain_frame),
    "manifest-two-frames": _stored(
        "A second zstd frame follows.", lambda t: manifest_bytes(t) + manifest_bytes(b" ")
    ),
    "manifest-damaged-frame": _stored(
        "The manifest's zstd frame lacks its end.", lambda t: manifest_bytes(t)[:-9]
    ),
    "manifest-not-json": _stored("The manifest is not JSON.", lambda t: manifest_bytes(t[:-1])),
    "manifest-array": _stored("The manifest is an array.", lambda t: manifest_bytes(b"[" + t + b"]")),
    "manifest-duplicate-key": _stored(
        "A field appears twice.", lambda t: manifest_bytes(b'{"silt":1,' + t[1:])
    ),
    "manifest-surrogate": _stored(
        "A string has an unpaired surrogate.", lambda t: manifest_bytes(t.replace(b"silt_writer", b"\\ud800"))
    ),
    "manifest-not-utf8": _stored(
        "The manifest is not UTF-8.", lambda t: manifest_bytes(t.replace(b"silt_writer", b"\xc3("))
    ),
    "limit-manifest-nesting": _stored("The manifest nests 33 deep.", _nested, "limit"),
    "limit-manifest-bomb": _stored(
        "The manifest decodes to more than 64 times its size and 1 MiB.",
        lambda t: manifest_bytes(t + b" " * 8_000_000),
        "limit",
    ),
}


def _register() -> None:
    for name, (error, about, edit) in FROM_DIRECTORY.items():
        INVALID[name] = broken_with(directory_sample, error, about, edit, "sharded")
    for name, (error, about, edit) in FROM_SAMPLE.items():
        INVALID[name] = broken_with(sample, error, about, edit)
    INVALID.update(STORED)


_register()
