"""``problems``: explains what a mirror cannot show as declared."""

from pathlib import Path

from tests.support.desk import Desk
from tests.support.program import run, sync
from tests.support.twenty import IDS, ODD, Twenty


def test_words_and_what_to_do(small_twenty: Twenty) -> None:
    """The table, the field, the number of rows and their ids, the cause, and the advice."""
    done = run("problems", small_twenty.root)
    assert done.code == 1
    short = f"{IDS[ODD][:10]}…{IDS[ODD][-9:]}/0"
    assert f"With problems ({short}): 1 problem" in done.out
    assert "recipes.minutes holds another kind of value" in done.out
    assert "(1 row, first odd)" in done.out
    assert "15 documents without problems" in done.out
    assert run("problems", "--workspace", "Archive", small_twenty.root).code == 0


def test_json_has_the_documented_shape(small_twenty: Twenty) -> None:
    """A list for each document, empty ones too."""
    told = run("problems", small_twenty.root, "--json").json()
    assert (told["v"], len(told["documents"])) == (1, 16)
    (odd,) = [one for one in told["documents"] if one["problems"]]
    assert set(odd) == {"workspace", "epoch", "path", "problems"}
    (line,) = odd["problems"]
    assert list(line) == ["table", "field", "kind", "rows", "row_id", "detail"]
    assert (line["table"], line["kind"], line["row_id"]) == ("recipes", "kind", "odd")


def test_a_mirror_that_is_not_there_is_a_failure(app: Path, studio: Path) -> None:
    """The problems of the other mirrors are still printed."""
    assert run("problems", app).code == 0
    (studio / "tables.sqlite").unlink()
    done = run("problems", app)
    assert (done.code, "1 document without problems" in done.out) == (1, True)
    assert "run sync" in done.err
    sync(app)
    assert run("problems", app).code == 0


def test_sync_says_what_the_problems_are(tmp_path: Path) -> None:
    """A few of them as text, and the number of further ones."""
    fields = {f"n{number}": {"type": "integer"} for number in range(5)}
    desk = Desk(tmp_path / "w1", {"id": {"type": "id"}, **fields})
    desk.put("notes", "a", **dict.fromkeys(fields, "words"))
    desk.save()
    done = run("sync", desk.document)
    assert "notes.n0 holds another kind of value than is declared (1 row, first a)" in done.out
    assert done.out.count("problem    ") == 3
    assert "and 2 more; epicenter-sidecar problems lists all" in done.out
    assert "problem    " not in run("sync", "--force", "--json", desk.document).out
