"""``make bench``: measures, prints the tables and writes docs/performance.*.

``make bench-check`` measures again and compares ratios, never absolute times, with what is
committed; a loss of more than 15 % is a failure.
"""

import argparse
import compileall
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from scripts import nodejs
from scripts.bench.chart import draw, draw_edits
from scripts.bench.cold import measure_cold
from scripts.bench.figures import MOST_LOSS, Figure, losses, merged
from scripts.bench.imports import measure_imports
from scripts.bench.plan import Plan
from scripts.bench.report import full_tables, goals_table, update_page
from scripts.bench.resting import measure_load, measure_rest
from scripts.bench.roads import measure_roads
from scripts.bench.running import measure_running
from scripts.bench.starting import measure_starts

DOCS = nodejs.PROJECT / "docs"
_CHECK_EDITS = 10
_QUICK = {"rounds": 2, "edits": 3, "patience": 0.0}
_PARTS: dict[str, Callable[[Plan], list[Figure]]] = {
    "cold": measure_cold,
    "watch": measure_running,
    "start": measure_starts,
    "imports": measure_imports,
    "rest": measure_rest,
    "load": measure_load,
    "roads": measure_roads,
}


class Results(msgspec.Struct, frozen=True):
    """A run's figures, and the machine they belong to."""

    machine: str
    figures: list[Figure]


def main(words: Sequence[str]) -> int:
    """Measure and report; return 1 when a check found a loss."""
    arguments = _parse(words)
    # As an installed program is: an editable one may have been told to write no bytecode.
    compileall.compile_dir(nodejs.PROJECT / "sidecar", quiet=1)
    plan = Plan(
        arguments.rounds, arguments.edits, arguments.patience, arguments.quick, arguments.huge
    )
    figures: list[Figure] = []
    for part in arguments.parts:
        found = _PARTS[part](plan)
        figures += found
        if not (arguments.check or arguments.quick):
            _write(arguments.out, found)
    if arguments.check:
        return _check(figures, arguments.out)
    _say(f"{goals_table(figures)}\n\n{full_tables(figures)}\n\n{_machine()}")
    return 0


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(_PARTS)} (all)")
    parser.add_argument("--check", action="store_true", help="compare with what is committed")
    parser.add_argument("--quick", action="store_true", help="a minute; writes nothing")
    parser.add_argument("--huge", action="store_true", help="1,000,000 rows too: 8 minutes more")
    parser.add_argument("--rounds", type=int, default=5, help="of each cold sync and start (5)")
    parser.add_argument("--edits", type=int, default=50, help="of each kind (50)")
    parser.add_argument(
        "--patience", type=float, default=2.0, help="seconds to wait for a quiet machine (2)"
    )
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of performance.* (docs)")
    arguments = parser.parse_args(words)
    unknown = set(arguments.parts) - set(_PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if arguments.check:
        arguments.parts = arguments.parts or ["cold", "watch"]
        arguments.edits = min(arguments.edits, _CHECK_EDITS)
    arguments.parts = arguments.parts or list(_PARTS)
    if arguments.quick:
        vars(arguments).update(_QUICK)
    return arguments


def _check(figures: Sequence[Figure], folder: Path) -> int:
    committed = msgspec.json.decode((folder / "performance.json").read_bytes(), type=Results)
    lost = losses(committed.figures, figures)
    for line in lost:
        _say(f"worse by more than {MOST_LOSS:.0%}: {line}")
    _say(f"{len(figures)} figures measured, {len(lost)} ratios lost")
    return 1 if lost else 0


def _write(folder: Path, figures: Sequence[Figure]) -> None:
    """Put the figures beside those of parts that were not measured this time."""
    kept = folder / "performance.json"
    old: list[Figure] = []
    if kept.exists():
        old = msgspec.json.decode(kept.read_bytes(), type=Results).figures
    results = Results(_machine(), merged(old, figures))
    kept.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    text = "\n\n".join((goals_table(results.figures), full_tables(results.figures), _machine()))
    update_page(folder / "performance.md", text)
    (folder / "performance.svg").write_text(draw(results.figures), "utf-8")
    (folder / "performance-edits.svg").write_text(draw_edits(results.figures), "utf-8")


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; load {load:.1f} at the end of the run."
    )


def _say(text: str) -> None:
    print(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
