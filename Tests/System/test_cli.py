"""The command line: help, usage errors, silence, tables that fit."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from program import MALFORMED, MISSING, ROOT, USAGE, Packed, Silt, listing

COMMANDS = ["pack", "unpack", "verify", "inspect"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(silt: Silt, command: str) -> None:
    """Each command explains itself, its exit codes included."""
    text = silt.ok(command, "--help").stdout
    assert "exit" in text.lower()
    for code in ("0", "2", "64", "65", "66", "73", "74", "130"):
        assert re.search(rf"\b{code}\b", text), f"{command} --help does not mention {code}"


def test_root_help_names_commands(silt: Silt) -> None:
    """The first page lists the commands."""
    text = silt.ok("--help").stdout
    assert all(command in text for command in COMMANDS)


def test_version(silt: Silt) -> None:
    """A version number."""
    assert re.search(r"\d+\.\d+", silt.ok("--version").stdout)


@pytest.mark.parametrize(
    "words",
    [
        ["--unknown"],
        ["nonsense"],
        ["pack"],
        ["pack", "a"],
        ["pack", "a", "b"],
        ["pack", "a", "b", "-o", "c", "--unknown"],
        ["pack", "a", "b", "-o", "c", "--threads", "many"],
        ["pack", "a", "b", "-o", "c", "--codec", "brotli"],
        ["pack", "a", "b", "-o", "c", "--level", "99"],
        ["unpack", "a"],
        ["verify"],
        ["inspect"],
    ],
    ids=" ".join,
)
def test_usage_errors(silt: Silt, tmp_path: Path, words: list[str]) -> None:
    """Exit 64 with a message, before anything is read or written."""
    result = silt.run(*words)
    assert result.returncode == USAGE, result.stderr
    assert result.stderr.strip()


def test_missing_inputs(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Exit 66, and the message names the path."""
    absent = tmp_path / "absent"
    output = tmp_path / "out"
    for words in (
        ["pack", absent, small.fine, "-o", output],
        ["pack", small.base, absent, "-o", output],
        ["unpack", absent, small.file, "-o", output],
        ["unpack", small.base, absent, "-o", output],
        ["verify", small.base, absent],
        ["verify", small.base, small.file, "--against", absent],
        ["inspect", absent],
    ):
        assert "absent" in silt.exits(MISSING, *words).stderr
    (tmp_path / "hollow").mkdir()
    silt.exits((MISSING, MALFORMED), "pack", tmp_path / "hollow", small.fine, "-o", output)
    assert listing(tmp_path) == {"hollow"}


def test_quiet(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """Nothing at all on success; with --json the object alone."""
    packed = tmp_path / "m.silt"
    for words in (
        ["pack", small.base, small.fine, "-o", packed],
        ["unpack", small.base, packed, "-o", tmp_path / "out"],
        ["verify", small.base, packed, "--against", small.fine],
    ):
        result = silt.ok(*words, "--quiet")
        assert (result.stdout, result.stderr) == ("", "")
    result = silt.ok("pack", small.base, small.fine, "-o", packed, "--force", "--quiet", "--json")
    assert result.stdout.startswith("{") and result.stderr == ""


def test_pipe(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """No progress bar and no colour where nobody watches; no line beyond 80 columns."""
    packed = tmp_path / "m.silt"
    for words in (
        ["pack", small.base, small.fine, "-o", packed],
        ["inspect", packed],
        ["unpack", small.base, packed, "-o", tmp_path / "out"],
        ["verify", small.base, packed, "--against", small.fine],
    ):
        result = silt.ok(*words)
        text = result.stdout + result.stderr
        assert "\r" not in text and "\x1b" not in text
        paths = str(tmp_path), str(small.base.parent)
        long = [
            line for line in text.splitlines() if len(line) > 80 and not any(path in line for path in paths)
        ]
        assert not long, long
    assert silt.ok("inspect", packed).stdout.strip()


def test_long_names_fit(silt: Silt, real_pair: tuple[Path, Path], tmp_path: Path) -> None:
    """The table of a real model fits too."""
    packed = tmp_path / "m.silt"
    silt.pack(*real_pair, packed)
    lines = silt.ok("inspect", packed).stdout.splitlines()
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 80


def test_broken_pipe(silt: Silt, small: Packed) -> None:
    """A reader that goes away early is no crash."""
    command = [str(silt.path), "inspect", str(small.file)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.wait(timeout=60) in (0, 74, -13, 141)


def test_terminal(silt: Silt, small: Packed, tmp_path: Path) -> None:
    """On a terminal it works as well; what it shows there is not tested."""
    leader, follower = pty.openpty()
    command = [str(silt.path), "pack", str(small.base), str(small.fine), "-o", str(tmp_path / "m.silt")]
    process = subprocess.Popen(command, stdout=follower, stderr=follower, stdin=follower)
    os.close(follower)
    shown = b""
    try:
        while chunk := os.read(leader, 4096):
            shown += chunk
    except OSError:
        pass
    os.close(leader)
    assert process.wait(timeout=60) == 0, shown.decode(errors="replace")


@pytest.mark.parametrize("command", ["pack", "unpack", "verify", "inspect"])
def test_options_are_documented(silt: Silt, command: str) -> None:
    """Every long option of the help is in Docs/CommandLine.md."""
    page = (ROOT / "Docs" / "CommandLine.md").read_text()
    options = set(re.findall(r"--[a-z0-9]+", silt.run(command, "--help").stdout)) - {"--help", "--version"}
    assert options
    assert not [option for option in sorted(options) if option not in page]


@pytest.mark.parametrize(
    "options",
    [
        "random --rank 4",
        "lowrank --quality 2",
        "sign --drop 0.5",
        "magnitude --seed 3",
        "random --scope row",
        "nm --choose norm",
        "dense --mask gaps",
        "columns --pattern 2:4",
        "dense --q 0.5",
        "random --drop 1",
        "random --drop -0.1",
        "random --q 0",
        "random --q nan",
        "nm --pattern 4:4",
        "lowrank+lowrank",
        "lowrank+magnitude --scope global",
        "magnitude --mask seeded",
    ],
)
def test_methods_refuse_what_they_have_no_use_for(silt: Silt, small: Packed, tmp_path: Path, options: str) -> None:
    """An option that would do nothing, or nonsense, is wrong usage; nothing is written."""
    words = ("pack", small.base, small.fine, "-o", tmp_path / "m.silt", "--method", *options.split())
    silt.exits(64, *words)
    assert not (tmp_path / "m.silt").exists()
