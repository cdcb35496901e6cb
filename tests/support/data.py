"""Where test data lies: all of it below ``tests/data``."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DATA = PROJECT / "tests" / "data"

DOCUMENTS = DATA / "documents"
"""By real Yjs, NAME.yjs, with what JavaScript says their mirrors hold, NAME.json."""

ODDITIES = DATA / "oddities"
"""By real Yjs, one oddity each; ``tests/fidelity/expect`` says what their mirrors must hold."""

REPORTS = DATA / "reports"
"""By real Yjs, what once fell: each is shown as Yjs shows it."""

TWINS = DATA / "v2"
"""V2 twins of documents and seeds, NAME.v2, and what Yjs makes of them in V1 again, NAME.v1."""

SEEDS = DATA / "seeds"
"""Where the fuzzer begins, and what it has found."""

SNAPSHOTS = DATA / "snapshots"
"""Histories by real Yjs, with and without collected garbage."""

SAMPLE = PROJECT / "scripts" / "demo" / "sample"
"""The demo's app folder."""

APPS = DATA / "apps"
"""By libraries that apps keep their data in, NAME.yjs, with what those say it holds, NAME.json."""
