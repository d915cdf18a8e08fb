"""Where results go: nothing is overwritten unasked, nothing half done stays, nothing lands elsewhere."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from program import CANNOT_CREATE, IO_ERROR, MALFORMED, MISSING, OK, USAGE, Packed, Silt, digests, listing
from test_corruption import INVALID, facts_of

WORK = ["pack", "unpack"]


def words_for(command: str, small: Packed, output: Path) -> list[object]:
    """Arguments that write to `output`."""
    source = small.fine if command == "pack" else small.file
    return [command, small.base, source, "-o", output]


def assert_written(command: str, small: Packed, output: Path) -> None:
    """What a successful run must leave at `output`."""
    expected = small.file if command == "pack" else small.fine
    assert digests(output) == digests(expected)


@pytest.mark.parametrize("command", WORK)
def test_exists(silt: Silt, small: Packed, tmp_path: Path, command: str) -> None:
    """Refused and unchanged without --force; replaced with it; nothing else appears."""
    output = tmp_path / "out"
    if command == "pack":
        output.write_text("precious")
    else:
        output.mkdir()
        (output / "config.json").write_text("precious")
    before = digests(tmp_path)
    silt.exits(CANNOT_CREATE, *words_for(command, small, output))
    assert digests(tmp_path) == before
    silt.ok(*words_for(command, small, output), "--force")
    assert_written(command, small, output)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_force_spares_other_files(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """A file that is no part of the result is never lost: --force refuses the directory."""
    output = tmp_path / "out"
    (output / "notes").mkdir(parents=True)
    (output / "config.json").write_text("old")
    (output / "notes" / "thesis.txt").write_text("precious")
    before = digests(tmp_path)
    result = silt.exits(CANNOT_CREATE, *words_for("unpack", small, output), "--force")
    assert "thesis.txt" in result.stderr or "notes" in result.stderr
    assert digests(tmp_path) == before


@pytest.mark.parametrize("command", WORK)
@pytest.mark.parametrize("target", ["file", "directory", "nothing"])
def test_symlink(silt: Silt, small: Packed, tmp_path: Path, command: str, target: str) -> None:
    """A link at the output counts as existing, and what it points to is never written to."""
    real = tmp_path / "real"
    if target == "directory":
        real.mkdir()
        (real / "precious").write_text("precious")
    elif target == "file":
        real.write_text("precious")
    output = tmp_path / "out"
    output.symlink_to("real")
    before = listing(tmp_path)
    silt.exits(CANNOT_CREATE, *words_for(command, small, output))
    assert listing(tmp_path) == before
    content = digests(real) if real.exists() else None
    result = silt.exits((OK, CANNOT_CREATE), *words_for(command, small, output), "--force")
    assert (digests(real) if real.exists() else None) == content
    if result.returncode == OK:
        assert not output.is_symlink()
        assert_written(command, small, output)


@pytest.mark.parametrize("command", WORK)
def test_no_directory(silt: Silt, small: Packed, tmp_path: Path, command: str) -> None:
    """A directory that does not exist, and one that is a file."""
    silt.exits(CANNOT_CREATE, *words_for(command, small, tmp_path / "absent" / "out"))
    (tmp_path / "file").write_text("")
    silt.exits(CANNOT_CREATE, *words_for(command, small, tmp_path / "file" / "out"))
    assert listing(tmp_path) == {"file"}


@pytest.mark.parametrize("command", WORK)
def test_forbidden_directory(silt: Silt, small: Packed, tmp_path: Path, command: str) -> None:
    """A directory that takes no files."""
    if sys.platform == "linux":
        silt.exits(CANNOT_CREATE, *words_for(command, small, Path("/proc/out")))
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    silt.exits(CANNOT_CREATE, *words_for(command, small, closed / "out"))
    assert listing(closed) == set()


@pytest.mark.parametrize("command", WORK)
@pytest.mark.parametrize("share", [0, 0.4, 0.95])
def test_file_size_limit(silt: Silt, small: Packed, tmp_path: Path, command: str, share: float) -> None:
    """Writing fails after some bytes: exit 74, and nothing stays."""
    whole = small.file if command == "pack" else small.fine / "model.safetensors"
    limit = int(share * whole.stat().st_size)

    def restrict() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    silt.exits(IO_ERROR, *words_for(command, small, tmp_path / "out"), preexec_fn=restrict)
    assert listing(tmp_path) == set()


@pytest.mark.parametrize("command", WORK)
def test_full_disk(silt: Silt, small: Packed, tmp_path: Path, command: str) -> None:
    """A real full file system, where one may be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if (
        shutil.which("mount") is None
        or subprocess.run(mount, capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("mounting is not permitted")
    try:
        (disk / "filler").write_bytes(bytes(60_000))
        silt.exits(IO_ERROR, *words_for(command, small, disk / "out"))
        assert listing(disk) == {"filler"}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("damage", ["dangling", "directory", "closed"])
def test_unreadable_input(silt: Silt, small: Packed, tmp_path: Path, damage: str) -> None:
    """A model file that cannot be read: the message names it, and nothing is written."""
    fine = tmp_path / "fine"
    shutil.copytree(small.fine, fine)
    model = fine / "model.safetensors"
    match damage:
        case "dangling":
            model.unlink()
            model.symlink_to("absent")
        case "directory":
            model.unlink()
            model.mkdir()
        case "closed":
            if os.geteuid() == 0:
                pytest.skip("root may read anything")
            model.chmod(0)
    before = listing(tmp_path)
    result = silt.exits((MISSING, IO_ERROR, MALFORMED), "pack", small.base, fine, "-o", tmp_path / "out.silt")
    assert "fine" in result.stderr
    assert listing(tmp_path) == before


def test_linked_input(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Hub caches are directories of links: they are followed."""
    fine = tmp_path / "fine"
    fine.mkdir()
    for path in small.fine.iterdir():
        (fine / path.name).symlink_to(path)
    silt.pack(small.base, fine, tmp_path / "m.silt")
    silt.unpack(small.base, tmp_path / "m.silt", tmp_path / "out")
    assert digests(tmp_path / "out") == digests(small.fine)
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


def test_output_over_the_base(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Writing over the base either is refused or leaves the whole result; never half of each."""
    base = tmp_path / "base"
    shutil.copytree(small.base, base)
    before = digests(base)
    for force in ([], ["--force"]):
        result = silt.run("unpack", base, small.file, "-o", base, *force)
        assert result.returncode in (OK, USAGE, CANNOT_CREATE)
        assert digests(base) == (digests(small.fine) if result.returncode == OK else before)
        assert [path.name for path in tmp_path.iterdir()] == ["base"]


def test_traversal(silt: Silt, tmp_path: Path) -> None:
    """Stored paths that lead elsewhere: refused before anything is written."""
    vectors = [vector for vector in INVALID if facts_of(vector)[0]["error"] == "path"]
    assert vectors, "no invalid vector has the error `path`"
    work = tmp_path / "one" / "two" / "three"
    work.mkdir(parents=True)
    before = listing(tmp_path)
    for vector in vectors:
        result = silt.exits(MALFORMED, "unpack", facts_of(vector)[1], vector, "-o", work / "out")
        assert "path" in result.stderr
        assert listing(tmp_path) == before


def test_force_spares_inputs(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """--force replaces an old output, never what the work reads."""
    base, fine = tmp_path / "base", tmp_path / "fine"
    shutil.copytree(small.base, base)
    shutil.copytree(small.fine, fine)
    packed = shutil.copy(small.file, tmp_path / "m.silt")
    before = {path: digests(path) for path in (base, fine, Path(packed))}
    link = tmp_path / "link"
    link.symlink_to(base)
    model = fine / "model.safetensors"
    for words in (
        ["pack", base, model, "-o", base / "model.safetensors"],
        ["pack", base / "model.safetensors", model, "-o", model],
        ["unpack", base, packed, "-o", base],
        ["unpack", base, packed, "-o", packed],
        ["unpack", link, packed, "-o", base],
        ["unpack", base, packed, "-o", base / "model.safetensors", "--only", "weight"],
    ):
        refused = silt.exits(73, *words, "--force")
        assert "input" in refused.stderr
    assert {path: digests(path) for path in before} == before


def test_output_inside_what_is_packed(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Every file of the directory is packed, so the Silt file cannot lie in it."""
    fine = tmp_path / "fine"
    shutil.copytree(small.fine, fine)
    before = listing(tmp_path)
    silt.exits(73, "pack", small.base, fine, "-o", fine / "m.silt")
    assert listing(tmp_path) == before


def test_report_that_cannot_be_written(silt: Silt, small: Packed) -> None:
    """Who asks for a report hears that there is none."""
    with Path("/dev/full").open("w") as full:
        command: list[str | Path] = [silt.path, "inspect", small.file, "--json"]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert result.returncode == 74
