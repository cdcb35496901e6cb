"""What a start imports: ``-X importtime`` of our commands, summed by package."""

import os
import subprocess
import sys
from collections.abc import Sequence

from scripts.bench.contenders import ENVIRONMENT
from scripts.bench.documents import SMALL, WORK, document, place
from scripts.bench.figures import Figure, Subject, alone
from scripts.bench.plan import Plan

_PREFIX = "import time:"
_MICROSECONDS = 1_000_000
_SECONDS = 60


def measure_imports(plan: Plan) -> list[Figure]:
    """Measure the import time of a ``sync`` that has one small document to do."""
    root = WORK / "imports"
    place(document(SMALL), root).with_name("tables.sqlite").unlink(missing_ok=True)
    arguments = ["-m", "sidecar", "sync", "--json", str(root)]
    runs = [_import_s(arguments) for _ in range(plan.rounds)]
    return [
        alone(Subject(f"imports/{name}", f"imports of `sync`: {name}"), [run[name] for run in runs])
        for name in sorted(runs[0], key=lambda name: -runs[0][name])
        if all(name in run for run in runs)
    ][:8]


def _import_s(arguments: Sequence[str]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        check=True,
        text=True,
        timeout=_SECONDS,
        env={**os.environ, **ENVIRONMENT},
    )
    spent: dict[str, float] = {"all": 0.0}
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix(_PREFIX).partition("|")
        if not line.startswith(_PREFIX) or not own.strip().isdigit():
            continue
        package = rest.rpartition("|")[2].strip().partition(".")[0]
        for name in ("all", package if package in _OURS else "standard library"):
            spent[name] = spent.get(name, 0.0) + int(own) / _MICROSECONDS
    return spent


_OURS = frozenset(("sidecar", "msgspec", "apsw", "pycrdt", "watchfiles", "platformdirs", "shtab"))
