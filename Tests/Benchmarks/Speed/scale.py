"""The arithmetic of Docs/Scale.md: what bounds pack and unpack of large models on other machines.

usage: scale.py [--pack G] [--unpack G] [--sha G] [--bits B]

Figures marked "measured" are arguments, by default those of Docs/Performance.md; all others follow from them. Each step takes
the longest of its parts, since they overlap.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

#: Bytes of the fine-tuned model in BF16.
MODELS = {"8 B": 16e9, "70 B": 140e9, "1 T": 2e12}


@dataclass(frozen=True)
class Machine:
    """Where the work is done: cores, and GB/s at which it reads and writes."""

    name: str
    cores: int
    read: float
    write: float


MACHINES = (
    Machine("laptop: 8 cores, NVMe", 8, 5, 4),
    Machine("server: 64 cores, 4 NVMe", 64, 24, 16),
    Machine("server: 64 cores, object store, 25 Gbit/s", 64, 3, 3),
    Machine("server: 64 cores, object store, 200 Gbit/s", 64, 24, 16),
)


def bound(parts: dict[str, float]) -> tuple[str, float]:
    """The part that takes longest, and its seconds."""
    return max(parts.items(), key=lambda part: part[1])


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pack", type=float, default=PACK, help="GB/s of the result a core packs at level 1 (measured)")
    parser.add_argument("--unpack", type=float, default=UNPACK, help="GB/s of the result a core unpacks (measured)")
    parser.add_argument("--sha", type=float, default=SHA, help="GB/s a core hashes with SHA-256 (measured)")
    parser.add_argument("--bits", type=float, default=6.26, help="bits for each parameter of the delta (measured)")
    parser.add_argument("--shard", type=float, default=5e9, help="bytes of a file of the model")
    options = parser.parse_args()
    share = options.bits / 16
    print("| model | machine | delta | unpack | bound by | pack `--level 1` | bound by |")
    print("|---|---|---:|---:|---|---:|---|")
    for name, size in MODELS.items():
        for machine in MACHINES:
            delta = size * share
            unpack = bound({
                "reading base and delta": (size + delta) / (machine.read * 1e9),
                "writing": size / (machine.write * 1e9),
                "processors": size / (machine.cores * options.unpack * 1e9),
            })  # fmt: skip
            pack = bound({
                "reading base and fine-tuned": 2 * size / (machine.read * 1e9),
                "processors": size / (machine.cores * options.pack * 1e9),
                "SHA-256 of the largest file": min(size, options.shard) / (options.sha * 1e9),
                "commits in order": size / 16 * options.bits / (COMMIT * 1e9),
            })  # fmt: skip
            print(
                f"| {name} | {machine.name} | {delta / 1e9:,.0f} GB | {unpack[1]:,.0f} s | {unpack[0]} | "
                f"{pack[1]:,.0f} s | {pack[0]} |"
            )


#: Measured on the machine of Docs/Performance.md, GB/s for each core.
PACK, UNPACK, SHA = 0.33, 0.85, 1.8
#: One thread checksums and writes chunks, one after the other: GB/s of the delta.
COMMIT = 2.5

if __name__ == "__main__":
    main()
