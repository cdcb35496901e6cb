"""Documents that decoders read otherwise than Yjs does: the mirror shows what Yjs shows.

``python -m scripts.fault.histories --count 5000`` goes on from here.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scripts.fault.fuzz import OLD
from scripts.fault.histories import KINDS, MOMENTS, findings, histories, moments_that_differ
from scripts.fault.judge import Judge
from tests.support.data import REPORTS
from tests.support.examples import share_of
from tests.support.node import needs_node

pytestmark = needs_node


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Judge against the mirror of a document that shares nothing with the others."""
    with closing(Judge(tmp_path_factory.mktemp("judge"), OLD)) as judge:
        yield judge


REPORTED = sorted(
    path for path in REPORTS.glob("*.yjs") if "attribute_shared_type" not in path.stem
)
"""Yjs cannot clone a shared type that is an attribute, so the judge has no copy to compare with;
those documents are in ``tests/unit/tasks/test_reported_documents.py``, with what they must show."""


@pytest.mark.parametrize("path", REPORTED, ids=lambda path: path.stem)
def test_a_reported_document_is_shown_as_yjs_shows_it(judge: Judge, path: Path) -> None:
    """Half a surrogate pair in JSON, lost updates, merged edits in an emoji, equal client ids."""
    verdict = judge.judge(path.read_bytes(), refusals=True)
    assert (verdict.kind, verdict.finding) == ("equal", None)


@pytest.mark.random
@pytest.mark.parametrize("kind", KINDS)
def test_random_histories_are_shown_as_yjs_shows_them(
    judge: Judge, kind: str, tmp_path: Path
) -> None:
    """Three hundred of each kind in `make test-slow`."""
    counts: Counter[str] = Counter()
    paths = histories(kind, 11, share_of(300), tmp_path)
    assert list(findings(judge, paths, counts)) == []
    assert counts["equal"] >= 0.93 * len(paths) > 0


@pytest.mark.random
def test_every_moment_is_shown_as_yjs_shows_it(tmp_path: Path) -> None:
    """By the snapshots of many documents; none in V1 is taken for V2, few V2 for V1."""
    counts: Counter[str] = Counter()
    paths = histories(MOMENTS, 31, share_of(150), tmp_path)  # each has many moments
    for path in paths:
        assert list(moments_that_differ(path, counts)) == []
    assert counts["shown .ysnap"] > 3 * len(paths) > 0
    assert counts["differs .v2snap"] < 0.1 * counts["shown .ysnap"]
