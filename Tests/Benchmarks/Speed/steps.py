"""What is measured: every step is one process, and says what it writes and what that must equal."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
Words = list[str | Path]


@dataclass(frozen=True)
class Place:
    """The pair, the programs and where things are written."""

    base: Path
    fine: Path
    work: Path
    silt: Path
    bitx: Path
    threads: int
    tensor: str

    def path(self, name: str) -> Path:
        """A file of the work directory."""
        return self.work / name


@dataclass(frozen=True)
class Step:
    """A timed process.

    `output` is removed before each run. `check` is `fine` where the output must equal the fine-tuned file, `same` where every
    run must give the same bytes, and empty where there is nothing to compare. `runs` is the most that it is run, for those that
    take minutes.
    """

    title: str
    work: str
    words: Words
    output: str = ""
    check: str = ""
    runs: int = 1_000


def copies(place: Place) -> list[Step]:
    """The yardstick."""
    copy = place.path("copy.safetensors")
    return [
        Step("`cp`", "copy", ["cp", place.fine, copy], "copy.safetensors", "fine"),
        Step(
            "`cp`, then `fsync`", "copy", ["sh", "-c", 'cp "$1" "$2" && sync "$2"', "sh", place.fine, copy],
            "copy.safetensors", "fine",
        ),
    ]  # fmt: skip


def packing(place: Place, title: str, name: str, options: list[str]) -> Step:
    """Silt packs."""
    common = ["--threads", str(place.threads), "--quiet"]
    words: Words = [place.silt, "pack", place.base, place.fine, "-o", place.path(name), *options, *common]
    return Step(title, "pack", words, name, "same")


def unpacking(place: Place, title: str, name: str, check: str) -> Step:
    """Silt unpacks."""
    output = f"{name}.out"
    words: Words = [place.silt, "unpack", place.base, place.path(name), "-o", place.path(output)]
    return Step(title, "unpack", [*words, "--threads", str(place.threads), "--quiet"], output, check)


def exact(place: Place) -> list[Step]:
    """Silt at its fastest, and its other commands on that file."""
    threads = ["--threads", str(place.threads)]
    packed = place.path("exact.silt")
    one = ["--only", f"^{place.tensor}$"]
    return [
        packing(place, "silt pack `--level 1`", "exact.silt", ["--level", "1"]),
        unpacking(place, "silt unpack, of that", "exact.silt", "fine"),
        Step("silt verify, of that", "verify", [place.silt, "verify", place.base, packed, *threads]),
        Step("silt inspect, of that", "look", [place.silt, "inspect", packed, "--json"]),
        Step(
            "silt unpack `--only` one tensor, of that", "look",
            [place.silt, "unpack", place.base, packed, "-o", place.path("one.safetensors"), *one, *threads],
            "one.safetensors", "same",
        ),
    ]  # fmt: skip


def predicted(place: Place) -> list[Step]:
    """Silt as it is by default, over low-rank predictions."""
    verify: Words = [place.silt, "verify", place.base, place.path("default.silt"), "--threads", str(place.threads)]
    return [
        packing(place, "silt pack `--level 2`", "plain.silt", ["--level", "2"]),
        # Minutes for some GB.
        replace(packing(place, "silt pack", "default.silt", []), runs=1),
        unpacking(place, "silt unpack, of that", "default.silt", "fine"),
        Step("silt verify, of that", "verify", verify),
    ]


def lossy(place: Place) -> list[Step]:
    """DARE at p = 0.9 by Silt: masks from a seed and as bits, values in BF16 and int4."""
    steps = []
    for name, options in {
        "seeded, bf16": ["--values", "bf16"],
        "seeded, int4": [],
        "bitmask, bf16": ["--values", "bf16", "--mask", "bitmask"],
    }.items():
        file = name.replace(", ", "-") + ".silt"
        method = ["--method", "random", "--drop", "0.9", "--embeddings", "method", "--vectors", "int4"]
        verify: Words = [place.silt, "verify", place.base, place.path(file), "--threads", str(place.threads)]
        steps += [
            replace(packing(place, f"silt pack, lossy: {name}", file, [*method, *options]), runs=1),
            unpacking(place, "silt unpack, of that", file, "same"),
            Step("silt verify, of that", "verify", verify),
        ]
    return steps


def bitx(place: Place, level: int) -> list[Step]:
    """The re-creation of BitX in C."""
    packed, output = f"bitx-{level}.delta", f"bitx-{level}.out"
    threads = str(place.threads)
    return [
        Step(
            f"BitX (C), zstd -{level}: pack", "pack",
            [place.bitx, "encode", str(level), threads, place.base, place.fine, place.path(packed)], packed, "same",
        ),
        Step(
            f"BitX (C), zstd -{level}: unpack", "unpack",
            [place.bitx, "decode", str(level), threads, place.base, place.path(packed), place.path(output)],
            output, "fine",
        ),
    ]  # fmt: skip


def zstd(place: Place) -> list[Step]:
    """zstd alone."""
    packed, output = place.path("fine.zst"), place.path("zstd.out")
    program: Words = ["zstd", "-q", "-f", f"-T{place.threads}"]
    return [
        Step("zstd -3: pack", "pack", [*program, "-3", place.fine, "-o", packed], "fine.zst", "same"),
        Step("zstd -3: unpack", "unpack", [*program, "-d", packed, "-o", output], "zstd.out", "fine"),
    ]


def patching(place: Place) -> list[Step]:
    """zstd with the base as a prefix. `--long=31` lets the window span both."""
    patch, output = place.path("patch.zst"), place.path("patch.out")
    program: Words = ["zstd", "-q", "-f", f"-T{place.threads}", "--long=31", f"--patch-from={place.base}"]
    return [
        Step("zstd -3 --patch-from: pack", "pack", [*program, "-3", place.fine, "-o", patch], "patch.zst", "same"),
        Step("zstd -3 --patch-from: unpack", "unpack", [*program, "-d", patch, "-o", output], "patch.out", "fine"),
    ]


def xdelta(place: Place, runs: int) -> list[Step]:
    """xdelta3 at its default level, with a source window that holds the base."""
    delta, output = place.path("fine.xdelta"), place.path("xdelta.out")
    program: Words = ["xdelta3", "-q", "-f", "-B", "1073741824", "-W", "16777216", "-s", place.base]
    return [
        Step("xdelta3: pack", "pack", [*program, "-e", place.fine, delta], "fine.xdelta", "same", runs),
        Step("xdelta3: unpack", "unpack", [*program, "-d", delta, output], "xdelta.out", "fine", runs),
    ]


#: Tools in Python by their name in rival.py: title, what unpacking must give, and whether they take minutes.
PYTHON_TOOLS = {
    "zipnn": ("ZipNN, delta", "fine", False),
    "bigsmall": ("bigsmall", "fine", True),
    "z4ai": ("z4ai", "fine", True),
    "fireworks-arc2": ("fireworks arc_v2", "fine", False),
    "fireworks-arc3": ("fireworks arc_v3", "fine", True),
    "torch": ("safetensors and torch", "same", False),
}


def python_tools(place: Place, slow: bool, runs: int) -> list[Step]:
    """The rivals in Python, and the script that a Python user would write: those that take minutes, or the others."""
    steps = []
    for name, (title, check, is_slow) in PYTHON_TOOLS.items():
        if is_slow != slow:
            continue
        packed, output = f"{name}.delta", f"{name}.out"
        program: Words = [sys.executable, HERE / "rival.py", name, str(place.threads)]
        # What fireworks writes differs from run to run.
        stable = "" if name.startswith("fireworks") else "same"
        steps += [
            Step(
                f"{title}: pack", "pack", [*program, "encode", place.base, place.fine, place.path(packed)],
                packed, stable, runs,
            ),
            Step(
                f"{title}: unpack", "unpack",
                [*program, "decode", place.base, place.path(packed), place.path(output)], output, check, runs,
            ),
        ]  # fmt: skip
    return steps


def steps(place: Place, sets: list[str], slow: int) -> list[Step]:
    """The steps of the named sets, in the order in which they run; `cp` is always there."""
    chosen = copies(place)
    if "exact" in sets:
        chosen += exact(place)
    if "lossy" in sets:
        chosen += lossy(place)
    if "predicted" in sets:
        chosen += predicted(place)
    if "fast" in sets:
        chosen += zstd(place) + bitx(place, 1) + bitx(place, 3)
    if "rivals" in sets:
        chosen += patching(place) + python_tools(place, slow=False, runs=Step.runs)
    if "slow" in sets:
        chosen += xdelta(place, slow) + python_tools(place, slow=True, runs=slow)
    return chosen
