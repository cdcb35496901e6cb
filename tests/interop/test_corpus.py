"""Documents that real Yjs wrote show in SQL what JavaScript says they hold, cell by cell."""

from pathlib import Path

import pytest

from tests.support.apps import leftovers, mirror_of, place
from tests.support.data import DOCUMENTS
from tests.support.mirrors import assert_holds, read_problems
from tests.support.node import expected_of, make_documents, needs_node
from tests.support.program import run, sync

COMMITTED = sorted(DOCUMENTS.glob("*.yjs"))
each = pytest.mark.parametrize("document", COMMITTED, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app with every document of the corpus, each in a workspace of its name, after one sync."""
    root = tmp_path_factory.mktemp("corpus")
    for document in COMMITTED:
        place(document, root, workspace=document.stem)
    sync(root)
    return root


def mirror_in(root: Path, document: Path) -> Path:
    """Return the mirror of a document of the corpus."""
    return mirror_of(root / "workspaces" / document.stem / "0" / "workspace.yjs")


@each
def test_each_cell_is_what_javascript_says(document: Path, root: Path) -> None:
    """Tables, columns, declared types, nullability, order and cells equal JavaScript's view."""
    assert_holds(mirror_in(root, document), expected_of(document))


@each
def test_each_change_is_a_problem(document: Path, root: Path) -> None:
    """The mirror's problems are the ones JavaScript counts: rows, and the first row's id."""
    told = {tuple(problem) for problem in expected_of(document)["problems"]}
    problems = read_problems(mirror_in(root, document))
    assert {problem for problem in problems if problem[0] is not None} == told


def test_a_sync_leaves_nothing_beside_the_mirrors(root: Path) -> None:
    """Neither temporary files nor journals."""
    assert leftovers(root) == []


def test_the_second_road_finds_each_mirror_equal(root: Path) -> None:
    """``verify`` comes to the same cells."""
    told = run("verify", "--json", root).json()["documents"]
    assert [one["result"] for one in told] == ["equal"] * len(COMMITTED)


def test_a_document_alone_has_the_mirror_that_it_has_among_others(
    root: Path, tmp_path: Path
) -> None:
    """Cell for cell, whatever was synced before it in the same run."""
    for document in COMMITTED[:: len(COMMITTED) // 3]:
        alone = place(document, tmp_path, workspace=document.stem)
        sync(alone)
        assert mirror_of(alone).read_bytes() == mirror_in(root, document).read_bytes()


@needs_node
def test_the_corpus_is_what_the_script_writes(tmp_path: Path) -> None:
    """``scripts/js/make.js corpus`` writes the committed files again, byte for byte."""
    made = make_documents(tmp_path, "corpus")
    assert [path.name for path in made] == [path.name for path in COMMITTED]
    for path in made:
        assert expected_of(path) == expected_of(DOCUMENTS / path.name), path.stem
        assert path.read_bytes() == (DOCUMENTS / path.name).read_bytes(), path.stem
