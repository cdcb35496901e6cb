"""Real Yjs at work: which saves take the warm road, and that both roads show the same."""

from pathlib import Path

import pytest

from sidecar.document.warm import Warm
from sidecar.model import Options, Rebuilt, Source, Unchanged
from sidecar.tasks.sync import sync
from tests.support.examples import share_of
from tests.support.mirrors import query
from tests.support.node import needs_node
from tests.support.sessions import Follower, play

pytestmark = needs_node

KEPT_OR_COLLECTED = pytest.mark.parametrize(
    "gc",
    [
        pytest.param(False, id="kept"),
        pytest.param(True, id="collected", marks=pytest.mark.slow),
    ],
)
LEAST = 40
"""Saves of a session: in fewer, what goes cold by right is more than a tenth."""


@pytest.mark.random
@pytest.mark.parametrize(
    ("layout", "gc"),
    [
        ("both", False),
        ("both", True),
        pytest.param("maps", False, marks=pytest.mark.slow),
        pytest.param("maps", True, marks=pytest.mark.slow),
        pytest.param("arrays", False, marks=pytest.mark.slow),
        pytest.param("arrays", True, marks=pytest.mark.slow),
    ],
)
def test_a_session_goes_warm(tmp_path: Path, layout: str, *, gc: bool) -> None:
    """Whatever a user does, at least 90 of 100 saves are read by the warm road, all rightly.

    Cells, typing, arrays, XML, deletes, undo, reloads and a second device, with and without
    garbage collection; some forms are not published, so that edits add up.
    """
    follower = Follower()
    session = play(
        tmp_path,
        seed=len(layout),
        saves=max(LEAST, share_of(320)),
        layout=layout,
        gc=gc,
        undo=not gc,
    )
    for number, (_, data) in enumerate(session):
        follower.follow(data, is_published=number % 4 != 3)
    assert follower.roads.count("warm") > 0.9 * len(follower.roads)


@pytest.mark.random
def test_both_roads_make_the_same_mirror(tmp_path: Path) -> None:
    """Of each save a mirror is made by the warm road, patched where it can be, and from scratch.

    ``Warm(check=True)`` compares them to the last cell, with a full-text index, and raises where
    they differ.
    """
    document = place_of(tmp_path)
    source = Source(str(document), str(document.with_name("tables.sqlite")), "w", 0)
    options, warm = Options(str(tmp_path / "state"), fts=("*",)), Warm(check=True)
    roads: list[bool] = []
    for _, data in play(tmp_path / "saves", seed=5, saves=max(LEAST, share_of(400)), layout="both"):
        document.write_bytes(data)
        outcome = sync(source, options, warm=warm)
        assert isinstance(outcome, (Rebuilt, Unchanged)), outcome
        if isinstance(outcome, Rebuilt):
            roads.append(outcome.warm)
    assert roads.count(True) > 0.8 * len(roads)
    assert int(dict(query(Path(source.mirror), "SELECT key, value FROM _mirror"))["patches"]) > 0


def place_of(folder: Path) -> Path:
    """Give the place of a document in an app's folder."""
    document = folder / "app" / "workspaces" / "w" / "0" / "workspace.yjs"
    document.parent.mkdir(parents=True)
    return document


WARM = [
    *("set", "retype", "unset", "extra", "insert", "plain", "odd", "remove", "append", "type"),
    *("backspace", "bold", "push", "shift", "xml", "xmlText", "import", "entry", "update"),
    *("drop", "late", "badEntry", "define", "table", "undo", "reload", "merge", "rewrite"),
]


@KEPT_OR_COLLECTED
def test_what_users_do_goes_warm(tmp_path: Path, *, gc: bool) -> None:
    """Each kind of edit, before and after a reload of the app."""
    follower = Follower()
    script = [step for kind in WARM for step in (kind, "reload", kind)]
    for _, data in play(tmp_path, seed=7, layout="both", rows=12, gc=gc, script=script):
        follower.follow(data)
    roads = zip(["fill", *script], follower.roads, strict=True)
    assert {step: road for step, road in roads if road != "warm"} == {"fill": "the first time"}


@KEPT_OR_COLLECTED
@pytest.mark.parametrize(
    ("step", "road"),
    [
        ("older", "gone|went back|something else|deleted no more|another place"),
        ("foreign", "is gone"),
        ("twice", "another place|something else|went back|gone"),
        ("torn", "torn|undecodable"),
        ("zeros", "torn|undecodable"),
        ("stale", "torn"),
        ("kv", "new root kv"),
    ],
)
def test_what_is_no_successor_goes_cold(tmp_path: Path, step: str, road: str, *, gc: bool) -> None:
    """Older states, other documents, client ids used twice, torn files: and the next save is right.

    The first setting of an app goes cold too, since its root was not there.
    """
    follower = Follower()
    script = ["set", "type", "insert", "remove", step, "set", "type"]
    for _, data in play(tmp_path, seed=9, layout="both", rows=12, gc=gc, script=script):
        follower.follow(data)
    assert follower.roads[1:5] == ["warm"] * 4
    assert any(word in follower.roads[5] for word in road.split("|")), follower.roads
    assert follower.roads[-1] == "warm"


@pytest.mark.random
def test_hostile_sessions_are_read_as_a_fresh_decode_does(tmp_path: Path) -> None:
    """Older states, torn files, zeros, tails and reused client ids, in any order."""
    follower = Follower()
    weights = {"older": 25, "torn": 20, "zeros": 20, "stale": 10, "foreign": 5, "twice": 25}
    for _, data in play(
        tmp_path, seed=4, saves=max(LEAST, share_of(400)), layout="both", weights=weights
    ):
        if data:
            follower.follow(data)
    assert {"warm", "torn", "undecodable"} <= {*follower.roads}
