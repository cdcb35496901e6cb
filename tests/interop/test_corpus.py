"""Documents that real Yjs wrote show in SQL what JavaScript says they hold, cell by cell."""

from pathlib import Path

import pytest

from tests.support.apps import leftovers, mirror_of, place
from tests.support.data import DOCUMENTS
from tests.support.mirrors import assert_holds, read_problems
from tests.support.node import expected_of, make_documents, needs_node
from tests.support.program import sync

COMMITTED = sorted(DOCUMENTS.glob("*.yjs"))


@pytest.mark.parametrize("document", COMMITTED, ids=lambda path: path.stem)
def test_each_cell_is_what_javascript_says(document: Path, tmp_path: Path) -> None:
    """Tables, columns, declared types, nullability, order and cells equal JavaScript's view."""
    placed = place(document, tmp_path)
    sync(tmp_path)
    assert_holds(mirror_of(placed), expected_of(document))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("document", COMMITTED, ids=lambda path: path.stem)
def test_each_bend_is_written_up(document: Path, tmp_path: Path) -> None:
    """The mirror's problems are the ones JavaScript counts: rows, and the first row's id."""
    placed = place(document, tmp_path)
    sync(tmp_path)
    told = {tuple(problem) for problem in expected_of(document)["problems"]}
    of_tables = {problem for problem in read_problems(mirror_of(placed)) if problem[0] is not None}
    assert of_tables == told


def test_a_whole_folder_syncs_in_one_run(tmp_path: Path) -> None:
    """Every document of an app is mirrored by one ``sync``, each as if it were alone."""
    placed = {path: place(path, tmp_path, workspace=path.stem) for path in COMMITTED}
    sync(tmp_path)
    for document, copy in placed.items():
        assert_holds(mirror_of(copy), expected_of(document))


@needs_node
def test_the_corpus_is_what_the_script_writes(tmp_path: Path) -> None:
    """``scripts/js/make.js corpus`` writes the committed files again, byte for byte."""
    made = make_documents(tmp_path, "corpus")
    assert [path.name for path in made] == [path.name for path in COMMITTED]
    for path in made:
        assert expected_of(path) == expected_of(DOCUMENTS / path.name), path.stem
        assert path.read_bytes() == (DOCUMENTS / path.name).read_bytes(), path.stem
