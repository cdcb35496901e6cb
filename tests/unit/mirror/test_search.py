"""Full-text search in mirrors that were built with an index."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from sidecar.errors import MirrorDamagedError, UsageError
from sidecar.mirror.search import Match, indexes, search
from sidecar.mirror.words import Words, literal
from tests.support.desk import FIELDS, Desk

WORDS = {
    "n1": ("Paper bags", "Call the bakery about the paper bags, and the paper."),
    "n2": ("Kettle", "It's broken: say foo:bar to nobody-else"),
    "n3": ("Ünïcode 表 🦜", "čajovna"),
    "n4": (
        "会議の議事録を共有します。東京タワーに行きました",
        "使用Python编程。重跑gen-itgc后50条",
    ),
    "n5": ("오늘은 회의록을 정리했습니다", "Cuộc họp tiếng Việt ở Hà Nội"),
    "n6": ("ประชุมวันนี้", "100% a_b C:\\x 🧑🏽‍🍳 ❤️"),
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of three notes and a task, with every text column indexed."""
    desk = Desk(tmp_path / "w1")
    desk.define("tasks", FIELDS)
    for key, (title, body) in WORDS.items():
        desk.put("notes", key, title=title, body=body)
    desk.put("tasks", "t1", title="Buy paper")
    desk.options = replace(desk.options, fts=("*",))
    desk.sync()
    return desk


def find(desk: Desk, words: str, most: int = 50) -> list[Match]:
    """Search for plain words."""
    return search(str(desk.mirror), literal(words), most)


def ids(found: list[Match]) -> list[str]:
    """Give table and id of each hit."""
    return sorted(f"{one.table}.{one.id}" for one in found)


def test_hits_come_from_all_tables_with_marked_snippets(desk: Desk) -> None:
    """Each hit has its row and column, with marks around the words."""
    found = {one.id: one for one in find(desk, "paper")}
    assert set(found) == {"n1", "t1"}
    assert found["n1"].column == "body"
    marked = [found["n1"].snippet[start:end] for start, end in found["n1"].marks]
    assert marked == ["paper", "paper"]
    assert found["t1"].snippet == "Buy paper"
    assert found["t1"].marks == ((4, 9),)


def test_a_column_called_like_an_index(desk: Desk) -> None:
    """It is not indexed, and causes no error."""
    desk.put("notes", "n1", notes_fts="odd")
    desk.sync()
    assert {one.id for one in find(desk, "paper")} == {"n1", "t1"}


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("paper bakery", ["notes.n1"]),
        ("paper kettle", []),
        ("KETTLE", ["notes.n2"]),
        ("it's", ["notes.n2"]),
        ("foo:bar", ["notes.n2"]),
        ("nobody-else", ["notes.n2"]),
        ("Ünïcode", ["notes.n3"]),
        ("cajovna", ["notes.n3"]),
        ("表", ["notes.n3"]),
        ("pap*", []),
        ("paper OR kettle", []),
        ('"', []),
        ("--", []),
        ("'; DROP TABLE notes; --", []),
        ("議事録", ["notes.n4"]),
        ("東京", ["notes.n4"]),
        ("京", ["notes.n4"]),
        ("議事録 东京", []),
        ("議事録 python", ["notes.n4"]),
        ("编程 东京", []),
        ("Python", ["notes.n4"]),
        ("ython", []),
        ("GEN-itgc后50", ["notes.n4"]),
        ("회의록", ["notes.n5"]),
        ("viet", ["notes.n5"]),
        ("Việt Nội", ["notes.n5"]),
        ("วันนี้", ["notes.n6"]),
        ("🦜", ["notes.n3"]),
        ("Ünïcode 🦜", ["notes.n3"]),
        ("🌱", []),
        ("🍳", ["notes.n6"]),
        ("❤️", ["notes.n6"]),
        ("100%", ["notes.n6"]),
        ("%", ["notes.n6"]),
        ("_", ["notes.n6"]),
        ("\\", ["notes.n6"]),
    ],
)
def test_words_are_taken_as_they_are(words: str, hits: list[str], desk: Desk) -> None:
    """No character of a word is an operator, and a row must contain every word."""
    assert ids(find(desk, words)) == hits


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("pap*", ["notes.n1", "tasks.t1"]),
        ("bakery OR kettle", ["notes.n1", "notes.n2"]),
        ("title : paper", ["notes.n1", "tasks.t1"]),
        ('"paper bags"', ["notes.n1"]),
    ],
)
def test_syntax_of_fts5_when_asked_for(query: str, hits: list[str], desk: Desk) -> None:
    """Prefixes, operators, columns and phrases."""
    assert ids(search(str(desk.mirror), Words(syntax=query), 50)) == hits


@pytest.mark.parametrize("query", ["(", "paper AND", "nowhere : paper", '"open', ""])
def test_what_is_no_query_is_explained(query: str, desk: Desk) -> None:
    """The error quotes the query and suggests a search without the syntax."""
    with pytest.raises(UsageError, match="without --fts-syntax"):
        search(str(desk.mirror), Words(syntax=query), 50)


def test_column_of_one_table_is_no_error_of_the_others(desk: Desk) -> None:
    """A table without the column has no hits, and no error."""
    desk.define("tasks", {"id": {"type": "id"}, "title": {"type": "text"}})
    desk.sync()
    assert ids(search(str(desk.mirror), Words(syntax="body : bakery"), 50)) == ["notes.n1"]


def test_best_hits_come_first_and_no_more_than_asked_for(desk: Desk) -> None:
    """The rows of a table are sorted by rank, and limited to the number."""
    for number in range(20):
        desk.put("notes", f"many{number}", title="filler", body="paper " + "word " * number)
    desk.sync()
    found = [one for one in find(desk, "paper", 5) if one.table == "notes"]
    assert len(found) == 5
    assert [one.rank for one in found] == sorted(one.rank for one in found)


@pytest.mark.parametrize(
    ("words", "column", "marked"),
    [
        ("議事録", "title", ["議事録"]),
        ("議事録 python", "title", ["議事録"]),
        ("編 Python", "", []),
        ("编程 python", "body", ["使用Python编程"]),
        ("회의록 tiếng", "title", ["회의록"]),
        ("🧑🏽‍🍳", "body", ["🧑🏽‍🍳"]),
        ("C:\\x a_b", "body", ["a_b", "C:\\x"]),
    ],
)
def test_marks_stand_round_what_was_found(
    words: str, column: str, marked: list[str], desk: Desk
) -> None:
    """Also for texts that the index did not find."""
    found = find(desk, words)
    assert [one.column for one in found] == ([column] if column else [])
    assert [one.snippet[start:end] for one in found for start, end in one.marks] == marked


def test_long_texts_are_cut_round_a_piece(tmp_path: Path) -> None:
    """With dots for omitted text; the row with more hits comes first."""
    desk = Desk(tmp_path / "w")
    desk.put("notes", "once", body="前" * 300 + "東京" + "後" * 300)
    desk.put("notes", "twice", body="東京" + "間" * 20 + "東京")
    desk.sync_with_index()
    twice, once = find(desk, "東京")
    assert (twice.id, once.id) == ("twice", "once")
    assert once.snippet.startswith("…前")
    assert once.snippet.endswith("後…")
    assert len(once.snippet) < 100
    assert [once.snippet[start:end] for start, end in once.marks] == ["東京"]


@pytest.mark.slow
def test_pieces_in_two_thousand_columns(tmp_path: Path) -> None:
    """As many as FTS5 takes."""
    fields = {f"f{n:04}": {"type": "text", "nullable": True} for n in range(1900)}
    desk = Desk(tmp_path / "w", {"id": {"type": "id"}, **fields})
    desk.put("notes", "r", f1899="東京", f0001="paper")
    desk.sync_with_index()
    assert [one.column for one in find(desk, "東京")] == ["f1899"]
    assert [one.column for one in find(desk, "paper 東京")] == ["f1899"]


def test_marks_cannot_be_forged(desk: Desk) -> None:
    """No text in a document can look like a mark."""
    desk.put("notes", "n4", title="<b>zebra</b> \ufdd0 \x01 [zebra]")
    desk.sync()
    (found,) = find(desk, "zebra")
    assert [found.snippet[start:end] for start, end in found.marks] == ["zebra", "zebra"]


def test_index_follows_every_rebuild(desk: Desk) -> None:
    """An edit adds its new words and removes the old ones."""
    desk.put("notes", "n1", title="Zebra", body="nothing")
    desk.sync()
    assert ids(find(desk, "zebra")) == ["notes.n1"]
    assert ids(find(desk, "bakery")) == []


def test_mirror_without_an_index(tmp_path: Path) -> None:
    """It has none, and a search finds nothing."""
    desk = Desk(tmp_path / "w1")
    desk.put("notes", "n1", title="paper")
    desk.sync()
    assert indexes(str(desk.mirror)) == {}
    assert find(desk, "paper") == []


def test_odd_table_and_column_names(tmp_path: Path) -> None:
    """Quotes, a column called rowid, names that look like an index: all are searched."""
    desk = Desk(tmp_path / "w1")
    fields = {"rowid": {"type": "text"}, 'o"dd': {"type": "text"}, "id": {"type": "id"}}
    desk.define('we"ird', fields)
    desk.define('we"ird_fts', fields)
    desk.put('we"ird', "r1", rowid="zebra", **{'o"dd': "yak"})
    desk.put('we"ird_fts', "r1", rowid="no", **{'o"dd': "yak"})
    desk.options = replace(desk.options, fts=("*",))
    desk.sync()
    assert [(one.table, one.column) for one in find(desk, "yak")] == [
        ('we"ird', 'o"dd'),
        ('we"ird_fts', 'o"dd'),
    ]


def test_missing_mirror_is_said(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(MirrorDamagedError, match="run sync"):
        search(str(tmp_path / "tables.sqlite"), literal("x"), 1)
