"""The results of the speed benchmark as a table and as raw rows."""

from __future__ import annotations

import csv
import datetime
import platform
from dataclasses import dataclass
from pathlib import Path

from measure import Samples
from steps import Step


def processor() -> str:
    """What the machine says it is."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.machine()


@dataclass(frozen=True)
class Table:
    """All steps of one run of the benchmark."""

    bytes: int
    threads: int
    steps: list[Step]
    results: list[Samples]

    @property
    def copy(self) -> float:
        """Median seconds of `cp`, with or without `fsync`: what is faster. On a tmpfs both do the same work."""
        rows = zip(self.steps, self.results, strict=True)
        return min(samples.median for step, samples in rows if step.title.startswith("`cp`") and samples.runs)

    def markdown(self) -> str:
        """A table for a page."""
        runs = max(len(samples.runs) for samples in self.results)
        lines = [
            (f"{self.bytes / 1e9:.2f} GB, BF16, {self.threads} threads, {processor()}, "
             f"{datetime.datetime.now(datetime.UTC).date()}; medians of {runs} runs, least to most"),
            "",
            "| | seconds | GB/s | × `cp` | CPU s | peak MiB | bytes |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for step, samples in zip(self.steps, self.results, strict=True):
            if not samples.runs:
                lines.append(f"| {step.title} | refused: {samples.refused or 'not run'} | | | | | |")
                continue
            low, high = samples.spread
            speed, ratio = f"{self.bytes / 1e9 / samples.median:.2f}", f"{self.copy / samples.median:.2f}"
            if step.work == "look":
                speed = ratio = ""
            seconds = f"{samples.median:.3f} ({low:.3f} to {high:.3f})"
            if 1 == len(samples.runs) < runs:
                seconds = f"{samples.median:.3f} (one run)"
            written = f"{samples.bytes:,}" if samples.bytes else ""
            note = f"; {samples.refused}" if samples.refused else ""
            lines.append(
                f"| {step.title}{note} | {seconds} | {speed} | {ratio} | {samples.cpu:.2f} | "
                f"{samples.peak / (1 << 20):.0f} | {written} |"
            )
        return "\n".join(lines) + "\n"

    def write_csv(self, path: Path) -> None:
        """Every run."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["step", "bytes", "threads", "run", "seconds", "cpu_seconds", "peak_bytes", "output_bytes"])
            for step, samples in zip(self.steps, self.results, strict=True):
                for number, run in enumerate(samples.runs, 1):
                    writer.writerow([
                        step.title, self.bytes, self.threads, number, f"{run.seconds:.4f}", f"{run.cpu:.3f}",
                        run.peak, samples.bytes,
                    ])  # fmt: skip
