"""Results and differences of ``verify``."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from pycrdt import Map

from sidecar.reports import MOST_DIFFERENCES, Difference, Verification
from sidecar.tasks.verify import verify
from tests.support.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A mirror of three notes, in step."""
    desk = Desk(tmp_path / "w1" / "0")
    for number in range(3):
        desk.put("notes", f"n{number}", title=f"Note {number}", stars=float(number), done=True)
    desk.sync()
    return desk


def look(desk: Desk) -> Verification:
    """Verify the mirror on the desk."""
    return verify(desk.source, desk.options)


def only(found: Verification) -> Difference:
    """Return the only difference."""
    assert found.total == 1
    (difference,) = found.differences
    return difference


def test_true_mirror_is_equal(desk: Desk) -> None:
    """Every row and every cell is counted, id and _extra among them."""
    found = look(desk)
    assert (found.result, found.integrity, found.total) == ("equal", "ok", 0)
    assert (found.rows, found.cells) == (3, 21)
    assert (found.workspace, found.epoch) == ("w1", 0)


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        (
            "UPDATE notes SET title = 'x' WHERE id = 'n1'",
            Difference("notes", "n1", "title", "Note 1", "x"),
        ),
        (
            "UPDATE notes SET stars = 1.5 WHERE id = 'n1'",
            Difference("notes", "n1", "stars", 1, 1.5),
        ),
        (
            "UPDATE notes SET title = x'00' WHERE id = 'n1'",
            Difference("notes", "n1", "title", "Note 1", {"$bytes": "AA=="}),
        ),
        (
            "UPDATE notes SET stars = 9007199254740993 WHERE id = 'n1'",
            Difference("notes", "n1", "stars", 1, {"$int": "9007199254740993"}),
        ),
        (
            "UPDATE notes SET stars = 9e999 WHERE id = 'n1'",
            Difference("notes", "n1", "stars", 1, {"$real": "Infinity"}),
        ),
        (
            "UPDATE notes SET _extra = '{}' WHERE id = 'n1'",
            Difference("notes", "n1", "_extra", None, "{}"),
        ),
        ("DELETE FROM notes WHERE id = 'n1'", Difference("notes", "n1", None, "row", None)),
        (
            "INSERT INTO notes (id, title) VALUES ('more', '')",
            Difference("notes", "more", None, None, "row"),
        ),
        ("CREATE TABLE more (a)", Difference("more", None, None, None, "table")),
        ("CREATE INDEX more ON notes (title)", Difference("more", None, None, None, "index")),
        ("CREATE VIEW more AS SELECT 1", Difference("more", None, None, None, "view")),
        (
            "ALTER TABLE notes ADD COLUMN more INTEGER",
            Difference("notes", None, "more", None, "column INTEGER"),
        ),
        (
            "UPDATE _mirror_tables SET rows = 7",
            Difference("_mirror_tables", "notes", "rows", 3, 7),
        ),
        (
            "UPDATE _mirror_columns SET options = NULL WHERE name = 'tags'",
            Difference("_mirror_columns", "notes.tags", "options", '["a","b"]', None),
        ),
        (
            "UPDATE _mirror SET value = '[]' WHERE key = 'layout'",
            Difference("_mirror", "layout", "value", "maps", "[]"),
        ),
        (
            "INSERT INTO _mirror_problems VALUES ('notes', 'title', 'kind', 1, 'n1', NULL)",
            Difference(
                *("_mirror_problems", None, None, None),
                '["notes", "title", "kind", 1, "n1", null]',
            ),
        ),
        ("DROP TABLE _mirror_problems", Difference("_mirror_problems", None, None, "table", None)),
    ],
)
def test_whatever_was_changed_is_named(statement: str, difference: Difference, desk: Desk) -> None:
    """Each change by another program is found, with the expected and the actual value."""
    desk.tamper(statement)
    found = look(desk)
    assert found.result == "different"
    assert only(found) == difference


def test_false_digest_is_named(desk: Desk) -> None:
    """The digests decide what the next sync does, so they are compared too."""
    desk.tamper("UPDATE _mirror_tables SET digest = 'x'")
    found = look(desk)
    assert found.result == "different"
    assert (only(found).table, only(found).column) == ("_mirror_tables", "digest")


def test_mirror_of_another_version_may_have_other_words(desk: Desk) -> None:
    """Texts of problems from an older version are not compared."""
    desk.tamper(
        "UPDATE _mirror SET value = 'epicenter-sidecar 0.0.1' WHERE key = 'generator'",
        "INSERT INTO _mirror_problems VALUES ('notes', 'title', 'kind', 1, 'n1', NULL)",
    )
    found = look(desk)
    assert (found.result, found.total) == ("damaged", 0)  # only because another program wrote to it


def test_changed_type_is_named(desk: Desk) -> None:
    """A column with another declared type is a difference."""
    desk.tamper(
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, '\"title\" TEXT NOT NULL', '\"title\" BLOB')"
        " WHERE name = 'notes'",
    )
    found = look(desk)
    assert found.result == "different"
    assert only(found) == Difference("notes", None, "title", "TEXT NOT NULL", "BLOB")


def test_dropped_table_is_one_difference(desk: Desk) -> None:
    """Its rows are not counted one by one."""
    desk.tamper("DROP TABLE notes")
    assert only(look(desk)) == Difference("notes", None, None, "table", None)


def test_first_differences_are_listed_and_all_are_counted(desk: Desk) -> None:
    """A thousand wrong cells give a hundred differences and the total."""
    for number in range(1000):
        desk.put("notes", f"many{number:04}", title="x")
    desk.sync()
    desk.tamper("UPDATE notes SET stars = 5 WHERE id LIKE 'many%'")
    found = look(desk)
    assert (len(found.differences), found.total) == (MOST_DIFFERENCES, 1000)


def test_text_that_is_no_text_is_a_difference(desk: Desk) -> None:
    """Bytes that are not UTF-8 in a text do not stop the comparison."""
    desk.tamper("UPDATE notes SET title = CAST(x'ff' AS TEXT) WHERE id = 'n1'")
    found = look(desk)
    assert found.result == "different"
    assert only(found).table == "notes"


def test_older_mirror_is_stale(desk: Desk) -> None:
    """If the document was changed since, the differences are its edits."""
    desk.put("notes", "n1", title="Changed")
    desk.save()
    found = look(desk)
    assert found.result == "stale"
    assert only(found) == Difference("notes", "n1", "title", "Changed", "Note 1")


def test_edit_that_shows_nowhere_leaves_it_equal(desk: Desk) -> None:
    """Other bytes are no difference: kv settings are not in the tables."""
    desk.doc.get("kv", type=Map)["theme"] = "dark"
    desk.save()
    assert look(desk).result == "equal"


def test_false_mirror_is_different_also_after_such_an_edit(desk: Desk) -> None:
    """A mirror that no sync would rebuild is not called stale."""
    desk.tamper("UPDATE notes SET title = 'x' WHERE id = 'n1'")
    desk.doc.get("kv", type=Map)["theme"] = "dark"
    desk.save()
    assert look(desk).result == "different"


def test_mirror_that_someone_only_rewrote_is_damaged(desk: Desk) -> None:
    """Every cell is right, but the next sync will rebuild it."""
    desk.tamper("VACUUM")
    found = look(desk)
    assert (found.result, found.integrity, found.total) == ("damaged", "ok", 0)


@pytest.mark.parametrize("data", [b"", b"hello", b"SQLite format 3\0" + bytes(84)])
def test_file_that_is_no_mirror_is_damaged(data: bytes, desk: Desk) -> None:
    """For any file in the mirror's place there is a result."""
    desk.mirror.write_bytes(data)
    assert look(desk).result == "damaged"


def test_cut_mirror_is_damaged(desk: Desk) -> None:
    """A file without its end is not compared, but reported as damaged."""
    desk.mirror.write_bytes(desk.mirror.read_bytes()[:6000])
    found = look(desk)
    assert found.result == "damaged"
    assert found.integrity != "ok"


def test_missing_mirror_is_missing(desk: Desk) -> None:
    """Nothing was built yet."""
    desk.mirror.unlink()
    assert look(desk).result == "missing"


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty"), (b"garbage", "undecodable"), (b"\0\1\2", "v2"), (bytes(50), "torn")],
)
def test_document_that_cannot_be_read_is_unreadable(data: bytes, code: str, desk: Desk) -> None:
    """With the document's code, whatever the mirror is."""
    if code == "v2":
        data = b"\0" + b"\1x" * 9 + b"rest"
    desk.document.write_bytes(data)
    found = look(desk)
    assert (found.result, found.code) == ("unreadable", code)
    assert found.message


def test_torn_document_is_unreadable_and_not_stale(desk: Desk) -> None:
    """With a tail of zeros less is decoded; that is not compared as an older state."""
    data = desk.document.read_bytes()
    desk.document.write_bytes(data[:-40] + bytes(40))
    assert look(desk).result == "unreadable"


def test_full_text_index_out_of_step_is_a_difference(tmp_path: Path) -> None:
    """An index without the words of its table is found."""
    desk = Desk(tmp_path / "w1" / "0")
    desk.put("notes", "n1", title="find me")
    desk.options = replace(desk.options, fts=("*",))
    desk.sync()
    assert look(desk).result == "equal"
    desk.tamper("INSERT INTO notes_fts (notes_fts) VALUES ('delete-all')")
    found = look(desk)
    assert found.result == "different"
    assert only(found).table == "notes_fts"


def test_looking_changes_nothing(desk: Desk) -> None:
    """Neither the document nor the mirror nor the folder is changed."""
    before = _seen(desk)
    look(desk)
    assert _seen(desk) == before


def _seen(desk: Desk) -> list[tuple[str, int, bytes]]:
    files = sorted(desk.document.parent.iterdir())
    return [(file.name, file.stat().st_mtime_ns, file.read_bytes()) for file in files]


@pytest.mark.parametrize("text", [b'CREATE TABLE "notes"', b"stars", b"title"])
def test_a_flipped_byte_of_the_catalog_is_no_fault_of_the_document(text: bytes, desk: Desk) -> None:
    """At any position: the mirror is damaged, or different."""
    whole = desk.mirror.read_bytes()
    for at in [n for n in range(len(whole)) if whole.startswith(text, n)]:
        desk.mirror.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        assert look(desk).result in {"damaged", "different"}
