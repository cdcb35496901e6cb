"""A search is split into words for the index and pieces for the text itself."""

import pytest

from sidecar.mirror.words import Words, apart, condition, excerpt, literal, matching, pattern_of


@pytest.mark.parametrize(
    ("text", "known", "pieces"),
    [
        ("paper bags", ("paper", "bags"), ()),
        ("東京 paper", ("paper",), ("東京",)),
        ("🌱", (), ("🌱",)),
        ("회의록", (), ("회의록",)),
        ("a_b", ("a_b",), ()),
        ("!!", (), ("!!",)),
        ("Čajovna", ("Čajovna",), ()),
        ("  ", (), ()),
    ],
)
def test_words_and_pieces(text: str, known: tuple[str, ...], pieces: tuple[str, ...]) -> None:
    """Scripts without spaces, emoji and punctuation are not in an index of words."""
    assert literal(text) == Words(known, pieces)


def test_a_word_inside_a_longer_one_is_asked_for_too() -> None:
    """Where a script without spaces surrounds it, and not another letter."""
    vocabulary = {"python": ["使用python编程", "pythonic", "python"]}
    query = matching(["Python", 'q"'], lambda word: vocabulary[word])
    assert query == '("Python" OR "使用python编程") AND ("q""")'


def test_what_like_takes_for_a_pattern_is_escaped() -> None:
    """Percent, underscore and backslash stand for themselves."""
    sql, patterns = condition("t", ["a", 'b"'], ["50%_\\"])
    assert sql == """1 AND ((t."a" LIKE :p0 ESCAPE '\\' OR t."b""\" LIKE :p0 ESCAPE '\\'))"""
    assert patterns == {"p0": "%50\\%\\_\\\\%"}
    assert condition("t", ["a"], []) == ("1", {})


def test_marks_that_overlap_become_one() -> None:
    """Those that only touch stay two."""
    assert apart({(4, 6), (0, 2), (1, 3), (6, 7)}) == ((0, 3), (4, 6), (6, 7))


def test_the_text_round_the_first_hit_is_shown() -> None:
    """Each hit in it is marked; dots stand for what is left out."""
    text, marks = excerpt("x" * 60 + "HIT hit" + "y" * 60, pattern_of(["hit"]))
    assert text == "…" + "x" * 40 + "HIT hit" + "y" * 33 + "…"
    assert [text[start:end] for start, end in marks] == ["HIT", "hit"]
    assert excerpt("nothing", pattern_of(["hit"])) == ("nothing", ())
