"""What the program prints, word for word: every help text, every command's report for people and as JSON, typical errors.

Snapshots/ has what is expected. `SILT_RECORD_SNAPSHOTS=1 python -m pytest Tests/System/test_snapshots.py` writes it anew, and
removes what no case has any more; the difference then belongs into the commit that changed the output.

What differs from run to run or from machine to machine is masked:

- The program runs in a directory of its own with names that are always the same, so no path needs a mask.
- Durations and speeds (`0.87 s`, `61.2 ms`, `0.09 GB/s`, and JSON's `seconds`) become `#`, and a line that was broken after
  one is joined again.
- Versions (`silt 0.1.0`, `zstd 1.5.4`) become `silt VERSION`, `zstd VERSION`.
- Cases that are `approximate` depend on the processor's OpenBLAS: all their numbers become `#`, digests of files that depend on
  them `DIGEST`, and runs of spaces one space. What is left is words, fields and their order.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from program import CANNOT_CREATE, DIFFERS, MALFORMED, MISSING, OK, ROOT, USAGE, Result, Silt

SNAPSHOTS = Path(__file__).with_name("Snapshots")
RECORD = os.environ.get("SILT_RECORD_SNAPSHOTS") == "1"
DATA = ROOT / "Tests" / "Data"
#: The names by which the program gets its inputs.
LINKS = {
    "base": DATA / "small-base",
    "tuned": DATA / "small-foods",
    "foods": DATA / "eval" / "foods-small.safetensors",
    "lora-base": DATA / "peers" / "gpt2" / "base",
    "lora-merged": DATA / "peers" / "gpt2" / "merged.safetensors",
    "adapter": DATA / "peers" / "gpt2" / "adapter",
    "synced": DATA / "peers" / "weight-sync",
    "dense": DATA / "peers" / "sparse-bitmask" / "dense",
}
#: What is there before the cases run: files that other commands read.
PREPARED = (
    "pack base tuned -o exact.silt --prediction none",
    "pack base tuned -o lossy.silt --method random --embeddings method",
    "pack lora-base --lora adapter -o lora.silt",
)


@dataclass(frozen=True)
class Case:
    """A command line; OUT is a place that is not there yet, and COPY a copy of lossy.silt."""

    words: str
    status: int = OK
    approximate: bool = False


#: Every command that works, by the name of its snapshots.
REPORTS = {
    "pack": Case("pack base tuned -o OUT --prediction none"),
    "pack-lossy": Case("pack base tuned -o OUT --method random --embeddings method"),
    "pack-predicted": Case("pack base tuned -o OUT", approximate=True),
    "pack-lora": Case("pack lora-base --lora adapter -o OUT"),
    "unpack": Case("unpack base exact.silt -o OUT"),
    "verify": Case("verify base exact.silt --against tuned"),
    "verify-lossy": Case("verify base lossy.silt --against tuned"),
    "verify-differs": Case("verify base exact.silt --against base", DIFFERS),
    "inspect": Case("inspect exact.silt"),
    "inspect-lossy": Case("inspect lossy.silt"),
    "plan": Case("plan lora-base/model.safetensors lora-merged", approximate=True),
    "eval": Case("eval tuned foods"),
    "eval-against": Case("eval tuned foods --against tuned --examples 8", approximate=True),
    "sweep": Case(
        "sweep base tuned --validation foods --examples 4 --seeds 1 --rows quick --drops 0.9 --methods ^DARE$",
        approximate=True,
    ),
    "finetune": Case("finetune base --train foods --validation foods --examples 8 --epochs 1 -o OUT", approximate=True),
    "rescale": Case("rescale COPY --q 0.5"),
    "squash": Case("squash base exact.silt -o OUT", approximate=True),
    "export": Case("export lora.silt --lora OUT --base lora-base"),
    "convert": Case("convert dense --to sparse-bitmask -o OUT"),
    "sync-apply": Case("sync apply synced/base synced/xor -o OUT"),
    "sync-write": Case("sync write synced/base synced/new -o OUT --version 1 --base-version 0"),
}

#: What goes wrong, with the exit status.
ERRORS = {
    "missing-input": Case("pack base absent -o OUT", MISSING),
    "missing-file": Case("inspect absent.silt", MISSING),
    "wrong-base": Case("unpack tuned exact.silt -o OUT", MALFORMED),
    "wrong-base-verified": Case("verify tuned exact.silt", DIFFERS),
    "damaged": Case("unpack base damaged.silt -o OUT", MALFORMED),
    "no-silt-file": Case("inspect foods", MALFORMED),
    "no-output": Case("pack base tuned", USAGE),
    "unknown-option": Case("pack base tuned -o OUT --wrong", USAGE),
    "unknown-method": Case("pack base tuned -o OUT --method nonsense", USAGE),
    "drop-without-method": Case("pack base tuned -o OUT --drop 0.5", USAGE),
    "existing-output": Case("pack base tuned -o taken", CANNOT_CREATE),
    "output-is-an-input": Case("unpack base exact.silt -o base --force", CANNOT_CREATE),
}

HELP = (
    *("", "pack", "unpack", "verify", "eval", "sweep", "inspect", "plan", "rescale", "squash", "export", "convert"),
    *("sync", "sync apply", "sync write", "finetune"),
)

#: What takes a second or more, and is not shown where time is short.
SLOW = ("pack-predicted", "squash", "sweep", "finetune", "eval", "eval-against", "plan")
NAMES = [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in REPORTS]

NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


@dataclass(frozen=True)
class Place:
    """The directory in which the program runs."""

    silt: Silt
    path: Path

    def run(self, *words: str) -> Result:
        """Runs the program there, on no terminal."""
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        command = [str(self.silt.path), *words]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=self.path, env=environment, timeout=600, check=False
        )

    def case(self, case: Case, output: str, *options: str) -> Result:
        """Runs a case, whose output gets this name."""
        copy = self.path / f"{output}.silt"
        if "COPY" in case.words:
            copy.write_bytes((self.path / "lossy.silt").read_bytes())
        words = [{"OUT": output, "COPY": copy.name}.get(word, word) for word in case.words.split()]
        result = self.run(*words, *options)
        assert result.returncode == case.status, f"exit {result.returncode}: {result.stderr}"
        return result

    def remove(self, output: str) -> None:
        """Removes what a case wrote."""
        for path in (self.path / output, self.path / f"{output}.silt", self.path / f"{output}.state"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def place(silt: Silt, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A directory with the committed inputs, and the files that commands read."""
    path = tmp_path_factory.mktemp("snapshots")
    for name, target in LINKS.items():
        (path / name).symlink_to(target)
    found = Place(silt, path)
    for words in PREPARED:
        result = found.run(*words.split(), "--quiet")
        assert result.returncode == OK, result.stderr
    data = (path / "exact.silt").read_bytes()
    (path / "damaged.silt").write_bytes(data[: len(data) // 2])
    (path / "taken").write_text("mine")
    return found


def masked(text: str, approximate: bool) -> str:
    """What people read, without what differs from run to run (see above)."""
    text = re.sub(r"\b(silt|zstd) \d+\.\d+(?:\.\d+)?", r"\1 VERSION", text)
    text = re.sub(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e-?\d+)? (s|ms|µs|min|h)\b", r"# \1", text)
    text = re.sub(r"# (?:ms|µs|min|h)\b", "# s", text)
    text = re.sub(r"\d[\d,.]* ([KMG]?B/s)", r"# GB/s", text)
    text = re.sub(r"(# (?:s|GB/s)\b[^\n]*)\n +", r"\1 ", text)
    if approximate:
        text = re.sub(r"\b[0-9a-f]{32,}\b", "DIGEST", text)
        text = NUMBER.sub("#", text)
        text = re.sub(r"(?<=\S) +", " ", text)
        text = "".join(f"{line.strip()}\n" for line in text.splitlines())
    return text


def masked_json(value: Any, approximate: bool, key: str = "") -> Any:
    """A report, likewise: numbers of an approximate one become "#", as do seconds."""
    if isinstance(value, dict):
        return {name: masked_json(inner, approximate, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked_json(inner, approximate) for inner in value]
    if isinstance(value, str):
        return masked(value, approximate).removesuffix("\n" if approximate else "")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "#" if number and (approximate or key.endswith("seconds")) else value


def compare(name: str, text: str) -> None:
    """Compares with the snapshot of that name, or writes it."""
    path = SNAPSHOTS / name
    if RECORD:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"no snapshot {name}: record it (SILT_RECORD_SNAPSHOTS=1)"
    assert text == path.read_text(), f"another output: if that must be, record {name} anew (SILT_RECORD_SNAPSHOTS=1)"


@pytest.mark.parametrize("name", NAMES)
def test_report(place: Place, name: str) -> None:
    """What a command says, for people: standard output, and standard error if it has something."""
    case = REPORTS[name]
    result = place.case(case, "out")
    said = f"$ silt {case.words}\n{masked(result.stdout, case.approximate)}"
    if result.stderr:
        said += f"\nstandard error:\n{masked(result.stderr, case.approximate)}"
    compare(f"{name}.txt", said)
    place.remove("out")


@pytest.mark.parametrize("name", NAMES)
def test_json(place: Place, name: str) -> None:
    """What a command says as JSON."""
    case = REPORTS[name]
    result = place.case(case, "out", "--json")
    report = masked_json(json.loads(result.stdout), case.approximate)
    compare(f"{name}.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    place.remove("out")


@pytest.mark.parametrize("name", ERRORS)
def test_error(place: Place, name: str) -> None:
    """What a failure says, and its exit status; nothing is written."""
    case = ERRORS[name]
    before = sorted(path.name for path in place.path.iterdir())
    result = place.case(case, "out")
    said = masked(result.stdout + result.stderr, case.approximate)
    compare(f"errors/{name}.txt", f"$ silt {case.words}\n{said}exit status {result.returncode}\n")
    assert sorted(path.name for path in place.path.iterdir()) == before


@pytest.mark.parametrize("command", HELP, ids=lambda command: command or "silt")
def test_help(place: Place, command: str) -> None:
    """The help of every command."""
    result = place.run(*command.split(), "--help")
    assert (result.returncode, result.stderr) == (OK, "")
    compare(f"help/{command.replace(' ', '-') or 'silt'}.txt", result.stdout)


def test_nothing_is_left_over(place: Place) -> None:
    """Every command has its help and a report, and every snapshot a case."""
    listed = re.findall(r"^  ([a-z]+)  ", place.run("--help").stdout.partition("SUBCOMMANDS:")[2], re.MULTILINE)
    assert {command.split()[0] for command in HELP if command} == set(listed)
    assert {case.words.split()[0] for case in REPORTS.values()} == set(listed)
    wanted = {f"{name}.{kind}" for name in REPORTS for kind in ("txt", "json")}
    wanted |= {f"errors/{name}.txt" for name in ERRORS}
    wanted |= {f"help/{command.replace(' ', '-') or 'silt'}.txt" for command in HELP}
    for path in sorted(SNAPSHOTS.rglob("*.*")):
        name = str(path.relative_to(SNAPSHOTS))
        if RECORD and name not in wanted:
            path.unlink()
        assert name in wanted or RECORD, f"no case has the snapshot {name}"
