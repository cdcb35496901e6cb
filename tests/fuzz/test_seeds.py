"""Every committed seed, and a few mutations, keep the invariant of ``scripts/fault/judge.py``."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from scripts import nodejs
from scripts.fault.damage import damage
from scripts.fault.fuzz import OLD, seeds
from scripts.fault.judge import Judge
from tests.support.data import SEEDS
from tests.support.examples import share_of
from tests.support.node import needs_node, run_script

SHOWN = "equal" if nodejs.missing() is None else "unjudged"
"""What a document that decodes is judged to be; without Node nobody tells what Yjs shows."""

KINDS = {
    "deep_20000": {"crashed"},
    "deep_600": {SHOWN},
    "edits": {SHOWN},
    "empty": {SHOWN},
    "found_gap": {"kept undecodable", "kept torn"},
    "found_hook": {"unseen", "unjudged"},
    "found_reference_ahead": {"kept undecodable"},
    "found_unheld_entry": {SHOWN},
    "found_zero_head": {"kept torn", "kept undecodable", "kept v2"},
    "found_zero_block": {"kept undecodable"},
    "html": {"kept undecodable", "kept foreign"},
    "json": {"kept undecodable", "kept foreign"},
    "keyed": {SHOWN},
    "later": {SHOWN},
    "lists": {SHOWN},
    "long_gap": {SHOWN, "kept undecodable", "kept torn"},
    "long_string": {"kept undecodable"},
    "many_deletions": {"kept undecodable"},
    "many_structs": {"kept undecodable"},
    "many_values": {"kept undecodable"},
    "many_writers": {"kept undecodable"},
    "nested": {SHOWN},
    "numbers": {SHOWN},
    "pending": {SHOWN},
    "rich_text": {SHOWN},
    "stale_tail": {SHOWN, "kept torn"},
    "sub_documents": {SHOWN},
    "version_2": {SHOWN},
    "version_2_empty": {SHOWN},
    "writers": {SHOWN},
    "xml": {SHOWN},
    "zeros": {"kept torn"},
}
"""What becomes of each seed. Two kinds where the reason for refusing it may change."""


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Judge against the mirror of a document that shares nothing with the seeds."""
    with closing(Judge(tmp_path_factory.mktemp("judge"), OLD)) as judge:
        yield judge


def test_each_seed_has_its_expectation() -> None:
    """A finding that is committed is also told apart here."""
    assert sorted(KINDS) == sorted(path.stem for path in SEEDS.glob("*.yjs"))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_seed_keeps_the_invariant(judge: Judge, name: str) -> None:
    """A mirror equal to what Yjs shows, or the old one and a code: the one that is expected."""
    verdict = judge.judge((SEEDS / f"{name}.yjs").read_bytes())
    assert verdict.finding is None
    assert verdict.kind in KINDS[name]


@pytest.mark.random
def test_mutations_keep_the_invariant(judge: Judge) -> None:
    """The first files of one fuzzer run, 1600 in `make test-slow`; ``make fuzz`` goes on."""
    documents = [path.read_bytes() for path in seeds()]
    random = Random(1)  # noqa: S311 - repeatable, not secret
    findings = [judge.judge(damage(documents, random)).finding for _ in range(share_of(1600))]
    assert [finding for finding in findings if finding] == []


@needs_node
def test_the_seeds_are_what_the_script_writes(tmp_path: Path) -> None:
    """``scripts/js/seeds.js`` writes the committed seeds again; findings are kept by hand."""
    run_script("seeds.js", str(tmp_path))
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in SEEDS.glob("*.yjs")}
    assert written == {name: data for name, data in kept.items() if not name.startswith("found_")}
