"""The command line: help, usage errors, silence, tables that fit."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from program import MALFORMED, MISSING, ROOT, USAGE, Packed, Silt, listing

COMMAND_LINE = ROOT / "Docs" / "CommandLine.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "Docs").glob("*.md"))]


@cache
def help_of(silt: Silt, *words: str) -> str:
    """What `silt WORDS --help` prints."""
    return silt.ok(*words, "--help").stdout


def commands(silt: Silt, *words: str) -> list[str]:
    """All commands that do something, by what the help lists: `sync apply`, but not `sync`."""
    names = re.findall(r"^  ([a-z]+)  ", help_of(silt, *words).partition("SUBCOMMANDS:")[2], re.MULTILINE)
    return [found for name in names for found in commands(silt, *words, name)] or [" ".join(words)]


def options_by_command(silt: Silt) -> dict[str, set[str]]:
    """The long options that each command's help lists."""
    listed = re.compile(r"^  (?:-\w, )?(--[a-z0-9-]+)", re.MULTILINE)
    return {name: set(listed.findall(help_of(silt, *name.split()))) for name in commands(silt)}


def flags(text: str) -> set[str]:
    """All whole words like `--accuracy-within`."""
    return set(re.findall(r"(?<![\w-])--[a-z0-9]+(?:-[a-z0-9]+)*(?![\w-])", text))


def sections(page: str) -> dict[str, str]:
    """What stands below each heading of the second level."""
    return dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))


def test_help(silt: Silt) -> None:
    """Each command explains itself, its exit codes included; those of `sync` stand on its own page."""
    names = commands(silt)
    assert {"pack", "unpack", "verify", "inspect", "sync apply"} <= set(names)
    for command in {name.split()[0] for name in names}:
        text = help_of(silt, command)
        assert "EXIT STATUS" in text, command
        for code in (0, 1, 2, 64, 65, 66, 73, 74, 130):
            assert re.search(rf"^  {code} +\w", text, re.MULTILINE), f"{command} --help does not explain {code}"


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
def test_usage_errors(silt: Silt, words: list[str]) -> None:
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
    assert process.stdout is not None
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


def test_options_are_documented(silt: Silt) -> None:
    """Every long option of every command is, as a whole word, in its section of the page or in that of all commands."""
    texts = sections(COMMAND_LINE.read_text())
    common = flags(texts["Options of all commands"]) | {"--help", "--version"}
    for command, options in options_by_command(silt).items():
        assert len(options) > 4, command
        assert not options - flags(texts[command.split()[0]]) - common, command


def test_documented_options_exist(silt: Silt) -> None:
    """What the page names exists, and the tables of a section have options of its commands only."""
    known = options_by_command(silt)
    page = COMMAND_LINE.read_text()
    assert not flags(page) - set().union(*known.values())
    for title, text in sections(page).items():
        own = [options for command, options in known.items() if command.split()[0] == title]
        rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
        assert not own or not flags(" ".join(rows)) - set().union(*own), title


def test_synopsis_names_every_command(silt: Silt) -> None:
    """The page begins with a line for each command that there is, and has a section for each."""
    page = COMMAND_LINE.read_text()
    synopsis = page.split("```")[1]
    for command in options_by_command(silt):
        assert re.search(rf"^silt {command} ", synopsis, re.MULTILINE), command
        assert command.split()[0] in sections(page), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_use_options_that_exist(silt: Silt, page: Path) -> None:
    """Every `silt COMMAND …` on a page has options of that command only. A backslash goes on with the next line.

    Commands that measure a model, `'… {model}'`, are other programs.
    """
    known = options_by_command(silt)
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    text = re.sub(r"'[^'\n]*\{model\}[^'\n]*'", "CMD", text)
    for words in re.findall(r"\bsilt ((?:sync )?[a-z]+\b[^`|\n#]*)", text):
        command = next((name for name in known if f"{words} ".startswith(f"{name} ")), None)
        assert command is None or not flags(words) - known[command], f"silt {words}"


def test_help_names_options_that_exist(silt: Silt) -> None:
    """Sentences of the help name options of this or another command."""
    known = options_by_command(silt)
    for command in known:
        assert not flags(help_of(silt, *command.split())) - set().union(*known.values()), command


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
