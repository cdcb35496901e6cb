"""Suggestions for mistyped names and paths."""

from pathlib import Path

import pytest

from sidecar.commands.near import did_you_mean, near, near_path, nothing_here
from sidecar.model import Selection


@pytest.mark.parametrize(
    ("word", "expected"),
    [("snyc", ["sync"]), ("SYNC", ["sync"]), ("stat", ["status"]), ("nothing alike", [])],
)
def test_similar_words_are_found(word: str, expected: list[str]) -> None:
    """Whatever their case."""
    assert near(word, ["sync", "status", "query"]) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["notes", "tasks"], "; did you mean notes?"),
        (["a", "b", "c"], "; there are a, b and 1 more"),
        ([], "; there are none"),
    ],
)
def test_without_a_similar_word_all_are_listed(words: list[str], expected: str) -> None:
    """As many as there is room for."""
    assert did_you_mean("note", words, most=2) == expected


def test_the_first_part_of_a_path_that_does_not_exist_is_compared(tmp_path: Path) -> None:
    """With what stands beside it."""
    (tmp_path / "com.example.app").mkdir()
    wrong = tmp_path / "com.exmaple.app" / "workspaces" / "w1"
    assert near_path(str(wrong)) == f"did you mean {tmp_path / 'com.example.app'}? Otherwise "
    assert near_path(str(tmp_path / "quite another")) == ""


def test_documents_nearby_are_named(tmp_path: Path) -> None:
    """In a folder above or below, or under a name that the selection leaves out."""
    root, selection = tmp_path / "app", Selection()
    below = root / "data" / "com.example.app"
    (below / "workspaces").mkdir(parents=True)
    assert f"there are some in {below}" in nothing_here([str(root)], selection)
    other = tmp_path / "other"
    other.mkdir()
    (other / "pets.yjs").touch()
    assert "there is pets.yjs; to include it, give --documents" in nothing_here(
        [str(other)], selection
    )
