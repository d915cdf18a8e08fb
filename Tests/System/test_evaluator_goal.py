"""`pack --accuracy-within --evaluator`: the smallest file within a bound that a command measures."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from checkpoints import Tensor, read_safetensors, write_safetensors
from program import (
    CANNOT_CREATE,
    INTERRUPTED,
    MALFORMED,
    MISSING,
    ROOT,
    USAGE,
    Silt,
    chunks_of,
    digests,
    listing,
    manifest_of,
)
from pruning import values
from silt_seal import Draft, seal

DATA = ROOT / "Tests" / "Data" / "eval" / "foods-small.safetensors"
FAST = ("--prediction", "none", "--codec", "lz4")
Pair = tuple[Path, Path]
pytestmark = pytest.mark.slow

#: Prints how far a model is from the fine-tuned one, beside its length: 0 at best, 1 where nothing was learned.
HARNESS = '''
import json, sys
import numpy as np
def read(path):
    data = open(path, "rb").read()
    end = 8 + int.from_bytes(data[:8], "little")
    wide = lambda halves: (halves.astype("<u4") << 16).view("<f4")
    return {name: wide(np.frombuffer(data[end:][slice(*entry["data_offsets"])], "<u2"))
            for name, entry in json.loads(data[8:end]).items()
            if name != "__metadata__" and entry["dtype"] == "BF16"}
def named(tensors):
    return {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
model, base, fine, sign, log = sys.argv[1:6]
own, before, after = (named(read(path + "/model.safetensors")) for path in (model, base, fine))
both = sorted(own.keys() & before.keys() & after.keys())
def length(of):
    return sum(float(np.sum(np.square(of(name), dtype=np.float64))) for name in both) ** 0.5
far = length(lambda name: own[name] - after[name]) / length(lambda name: before[name] - after[name])
open(log, "a").write(json.dumps({"model": model, "far": far}) + chr(10))
print(json.dumps({"metric": "nearness" if sign == "-" else "distance", "value": -far if sign == "-" else far}))
'''


class Harness:
    """The evaluator, and what it was asked."""

    def __init__(self, work: Path, pair: Pair, sign: str = "-") -> None:
        script, self.log = work / "harness.py", work / "log"
        script.write_text(HARNESS)
        words = [sys.executable, script, "{model}", *pair, sign, self.log]
        self.command = " ".join(word if word == "{model}" else shlex.quote(str(word)) for word in words)

    @property
    def asked(self) -> list[dict]:
        """Each run: the model's path, and what came out."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Where files are packed: nothing else may stay in it."""
    path = tmp_path / "packed here"
    path.mkdir()
    return path


@pytest.fixture
def unknown(real_pair: Pair, tmp_path: Path) -> Pair:
    """The pair, of an architecture that nobody knows, with a tensor of a type that Silt does not run."""
    paths = []
    for source in real_pair:
        path = tmp_path / source.name
        path.mkdir()
        tensors = read_safetensors(source / "model.safetensors")
        tensors["extra"] = Tensor("F8_E4M3", (4,), bytes(4))
        write_safetensors(path / "model.safetensors", tensors)
        (path / "config.json").write_text('{"model_type": "never-heard-of"}')
        (path / "words").mkdir()
        (path / "words" / "notes.txt").write_text(source.name)
        paths.append(path)
    return paths[0], paths[1]


def goal(command: str, bound: object = 0.3) -> tuple[object, ...]:
    """Options."""
    return ("--accuracy-within", bound, "--evaluator", command)


def distance(a: Path, b: Path, base: Path) -> float:
    """As the harness measures."""
    own, fine, before = (read_safetensors(path / "model.safetensors") for path in (a, b, base))

    def of(name: str) -> np.ndarray:
        return values(before[name if name in before else name.removeprefix("bert.")]).astype(np.float64)

    both = [name for name in fine if fine[name].dtype == "BF16" and {name, name.removeprefix("bert.")} & before.keys()]
    far = sum(float(np.sum((values(own[name]).astype(np.float64) - values(fine[name])) ** 2)) for name in both)
    return (far / sum(float(np.sum((values(fine[name]) - of(name)) ** 2)) for name in both)) ** 0.5


@pytest.mark.parametrize("sign", ["-", "+"])
def test_any_model(silt: Silt, unknown: Pair, tmp_path: Path, work: Path, sign: str) -> None:
    """What the command said of the candidate holds of the file; the bound too; either direction."""
    harness, file = Harness(tmp_path, unknown, sign), work / "m.silt"
    words = goal(harness.command) + (("--evaluator-lower-is-better",) if sign == "+" else ())
    report = silt.json("pack", *unknown, "-o", file, *FAST, *words)
    assert listing(work) == {"m.silt"}
    assert report["contract"] == "lossy" and report["evaluations"] == []
    packing = report["packing"]
    assert packing["evaluator"] == ("nearness" if sign == "-" else "distance")
    assert packing["goal"] == "metric within 0.3"
    assert float(packing["evaluator_finetuned"]) == 0 and abs(float(packing["evaluator_base"])) == pytest.approx(1)
    silt.unpack(unknown[0], file, tmp_path / "out")
    far = distance(tmp_path / "out", unknown[1], unknown[0])
    assert 0.2 < far <= 0.3 and abs(float(packing["evaluator_rebuilt"])) == pytest.approx(far, rel=1e-6)
    # Few runs, no two of the same model, the fine-tuned first, the base last.
    asked = harness.asked
    assert 8 <= len(asked) <= 40 and len({run["far"] for run in asked}) == len(asked)
    assert asked[0]["model"] == str(unknown[1]) and asked[-1]["model"] == str(unknown[0])
    assert silt.json("verify", unknown[0], file, "--against", unknown[1])["identical"] is True


def test_candidates_are_whole(silt: Silt, unknown: Pair, tmp_path: Path, work: Path) -> None:
    """A candidate is a directory with all files of the fine-tuned one; only lossy tensors differ."""
    harness, copies = Harness(tmp_path, unknown), tmp_path / "copies"
    copies.mkdir()
    command = f"cp -r {{model}} '{copies}'/$(ls '{copies}' | wc -l); {harness.command}"
    silt.ok("pack", *unknown, "-o", work / "m.silt", *FAST, *goal(command))
    fine = digests(unknown[1])
    found = [digests(path) for path in copies.iterdir()]
    assert all(copy.keys() == fine.keys() for copy in found)
    candidates = [copy for copy in found if copy["words/notes.txt"] == fine["words/notes.txt"]]
    changed = {name for copy in candidates for name in fine if copy[name] != fine[name]}
    assert changed == {"model.safetensors"} and len(candidates) == len(found) - 1


def test_single_files(silt: Silt, real_pair: Pair, work: Path) -> None:
    """Checkpoints that are files: the command gets files."""
    pair = [path / "model.safetensors" for path in real_pair]
    command = f"test -f {{model}} && cmp -s {{model}} '{pair[1]}' && echo 1 || echo 0"
    result = silt.ok("pack", *pair, "-o", work / "m.silt", *FAST, *goal(command, 0.5), "--verbose")
    # No candidate is the fine-tuned model, so none keeps to the bound.
    assert "contract: exact" in result.stdout and "notice" in result.stderr
    tried = [line for line in result.stderr.splitlines() if "bytes, metric" in line]
    assert tried and all(line.startswith("- ") and "metric 0.0000" in line for line in tried)
    assert listing(work) == {"m.silt"}


def test_divergence_prunes(silt: Silt, real_pair: Pair, tmp_path: Path, work: Path) -> None:
    """With calibration data too, the far ones are not asked about, and the divergence is recorded."""
    harness = Harness(tmp_path, real_pair)
    on = ("--calibration", DATA, "--examples", 16)
    words = (*FAST, *goal(harness.command), *on, "--verbose", "--json")
    result = silt.ok("pack", *real_pair, "-o", work / "m.silt", *words)
    report = json.loads(result.stdout)
    assert [entry["metric"] for entry in report["evaluations"]] == ["kl"]
    assert -0.3 <= float(report["packing"]["evaluator_rebuilt"]) < -0.1
    tried = [line for line in result.stderr.splitlines() if line[:2] in ("+ ", "- ")]
    assert any("metric" not in line and "kl" in line for line in tried), "nothing was pruned"
    assert listing(work) == {"m.silt"}


def test_rescale_forgets(silt: Silt, real_pair: Pair, work: Path) -> None:
    """Numbers of the old result say nothing of a new one."""
    silt.ok("pack", *real_pair, "-o", work / "m.silt", *FAST, "--method", "random", "--drop", "0.9")
    manifest = manifest_of(work / "m.silt")
    manifest["packing"] |= {"evaluator": "em", "evaluator_finetuned": "0.8", "evaluator_rebuilt": "0.7", "goal": "kept"}
    (work / "e.silt").write_bytes(seal(Draft(manifest, chunks_of(work / "m.silt"), contract="lossy")))
    silt.ok("rescale", work / "e.silt", "--q", "0.2")
    assert manifest_of(work / "e.silt")["packing"] == {
        name: "0.2" if name == "q" else value for name, value in manifest["packing"].items() if "evaluator" not in name}


BROKEN: dict[str, tuple[str, str]] = {
    "exit code": ("exit 3", "exit status 3"),
    "text": ("echo done", "done"),
    "nothing": ("true", "printed nothing"),
    "another name": ("echo '{\"other\": 1}'", "other"),
}


@pytest.mark.parametrize("when", ["at once", "later"])
@pytest.mark.parametrize("case", BROKEN)
def test_broken_evaluators(silt: Silt, real_pair: Pair, tmp_path: Path, work: Path, case: str, when: str) -> None:
    """A command that fails, for the fine-tuned model or for a candidate: an error, and nothing is left."""
    line, reason = BROKEN[case]
    count = 1 if when == "at once" else 3
    runs = f"$(wc -l < '{tmp_path}/log')"
    harness = f"echo {{model}} >> '{tmp_path}/log'; if [ {runs} -ge {count} ]; then {line}; else echo 1; fi"
    if (case, when) == ("another name", "at once"):
        harness += f"; [ {runs} -eq 1 ] || echo 1"
    result = silt.exits(USAGE, "pack", *real_pair, "-o", work / "m.silt", *FAST, *goal(harness))
    assert reason in result.stderr and listing(work) == set()
    models = (tmp_path / "log").read_text().splitlines()
    assert len(models) == (2 if (case, when) == ("another name", "at once") else count)
    assert not any(Path(path).exists() for path in models[1:])


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("stubborn", [False, True])
@pytest.mark.parametrize("command", ["pack", "eval"])
def test_interrupted(
    silt: Silt, real_pair: Pair, tmp_path: Path, work: Path, command: str, stubborn: bool
) -> None:
    """SIGINT to the program alone ends the command too, with all that it started, and the candidate goes."""
    trap = "trap '' TERM; " if stubborn else ""
    mark = tmp_path / "pids"
    wait = f"{trap}(sleep 300 & echo $! >> '{mark}'; wait) & echo $! >> '{mark}'; wait; sleep 300"
    only = f"test {{model}} = '{real_pair[1]}' && echo 1 && exit; " if command == "pack" else ": {model}; "
    words: list[object] = ["pack", *real_pair, "-o", work / "m.silt", *FAST, *goal(only + wait)]
    if command == "eval":
        silt.ok("pack", *real_pair, "-o", tmp_path / "e.silt", *FAST)
        (work / "e.silt").write_bytes((tmp_path / "e.silt").read_bytes())
        words = ["eval", work / "e.silt", "--base", real_pair[0], "--evaluator", only + wait]
    process = subprocess.Popen([str(silt.path), *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while not (mark.exists() and len(mark.read_text().split()) == 2) and time.monotonic() < limit:
        time.sleep(0.02)
    pids = [int(word) for word in mark.read_text().split()]
    assert all(alive(pid) for pid in pids)
    os.kill(process.pid, signal.SIGINT)
    # What was started sleeps for five minutes: who is back before that has not waited for it.
    assert process.wait(timeout=120) == INTERRUPTED
    limit = time.monotonic() + 30
    while any(alive(pid) for pid in pids) and time.monotonic() < limit:
        time.sleep(0.02)
    assert not any(alive(pid) for pid in pids)
    assert listing(work) == ({"e.silt"} if command == "eval" else set())


REFUSED: dict[str, tuple[object, ...]] = {
    "no place for the model": goal("echo 1"),
    "divergence without data": ("--kl-within", "0.1", "--evaluator", "echo 1 {model}"),
    "divergence with data": ("--kl-within", "0.1", "--evaluator", "echo 1 {model}", "--calibration", DATA),
    "size": ("--size-at-most", "40k", "--evaluator", "echo 1 {model}", "--calibration", DATA),
    "no goal": ("--evaluator", "echo 1 {model}"),
    "method": ("--method", "sign", "--evaluator", "echo 1 {model}"),
    "goal and method": ("--method", "sign", *goal("echo 1 {model}")),
    "validation too": (*goal("echo 1 {model}"), "--validation", DATA),
    "direction of nothing": ("--accuracy-within", "1%", "--validation", DATA, "--evaluator-lower-is-better"),
    "examples of nothing": (*goal("echo 1 {model}"), "--examples", "3"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(silt: Silt, real_pair: Pair, work: Path, case: str) -> None:
    """What makes no sense is wrong usage, and nothing is written or run."""
    silt.exits(USAGE, "pack", *real_pair, "-o", work / "m.silt", *FAST, *REFUSED[case])
    assert listing(work) == set()


def test_refused_before_it_runs(silt: Silt, unknown: Pair, tmp_path: Path) -> None:
    """What cannot end well is said before a command that may take hours begins."""
    command = f"touch '{tmp_path}/ran'; echo 1; : {{model}}"
    (tmp_path / "taken").write_text("mine")
    silt.exits(CANNOT_CREATE, "pack", *unknown, "-o", tmp_path / "taken", *goal(command))
    silt.exits(CANNOT_CREATE, "pack", *unknown, "-o", unknown[1] / "m.silt", *goal(command))
    silt.exits((USAGE, MALFORMED), "pack", *unknown, "-o", tmp_path / "m", *goal(command), "--calibration", DATA)
    silt.exits(MISSING, "pack", unknown[0], tmp_path / "nothing", "-o", tmp_path / "m", *goal(command))
    assert not (tmp_path / "ran").exists() and not (tmp_path / "m").exists()
