"""Tables that fit: the width of text, and what is shortened when there is too little space."""

import pytest

from sidecar.commands.layout import TextColumn, doubt_of, fit, fold, shorten, width_of

UUID = "7ad15bff-91b8-5116-90d7-d13097cbe3b2"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("plain", 5),
        ("Ünïcödé", 7),
        ("e\u0301", 1),
        ("東京", 4),
        ("회의록", 6),
        ("مكتب", 4),
        ("🌱", 2),
        ("👍🏽", 2),
        ("❤\ufe0f", 2),
        ("\uff46\uff55", 4),
        ("🇩🇪", 2),
        ("🧑🏽‍🍳 K", 4),
        ("👩‍⚕️", 2),
        ("❤️‍🔥", 2),
        ("می‌خواهم", 7),
        ("\u1112\u116c\u110b\u1174", 4),
        ("soft\xadhyphen", 11),
    ],
)
def test_widths(text: str, width: int) -> None:
    """Wide characters take two cells, combining ones none."""
    assert width_of(text) == width


@pytest.mark.parametrize(
    ("text", "width", "in_middle", "short"),
    [
        ("short", 5, False, "short"),
        ("too long", 5, False, "too …"),
        (UUID, 9, True, "7ad1…e3b2"),
        (UUID, 10, True, "7ad15…e3b2"),
        ("東京の会議室", 6, False, "東京…"),
        ("東京の会議室", 7, False, "東京の…"),
        ("東京の会議室", 7, True, "東京…室"),
        ("🧑🏽‍🍳🧑🏽‍🍳🧑🏽‍🍳", 5, False, "🧑🏽‍🍳🧑🏽‍🍳…"),
        ("🧑🏽‍🍳🧑🏽‍🍳🧑🏽‍🍳", 5, True, "🧑🏽‍🍳…🧑🏽‍🍳"),
        ("e\u0301e\u0301e\u0301", 2, False, "e\u0301…"),
        ("ab", 1, False, "…"),
        ("ab", 0, False, ""),
    ],
)
def test_what_is_too_long_is_cut(text: str, width: int, short: str, *, in_middle: bool) -> None:
    """At its end, or in the middle; never through a character."""
    assert shorten(text, width, in_middle=in_middle) == short
    assert width_of(short) <= width


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 5, [""]),
        ("one two", 7, ["one two"]),
        ("one two three", 7, ["one two", "three"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("a bcdefgh", 4, ["a", "bcde", "fgh"]),
        ("東京の会議", 5, ["東京", "の会", "議"]),
    ],
)
def test_folding(text: str, width: int, lines: list[str]) -> None:
    """Between words where possible."""
    assert fold(text, width) == lines


COLUMNS = (
    TextColumn("name", least=10),
    TextColumn("document", in_middle=True, least=11),
    TextColumn("rows", is_number=True),
    TextColumn("notes", rank=1),
    TextColumn("size", is_number=True, rank=2),
)


@pytest.mark.parametrize(
    ("total", "widths"),
    [
        (200, (20, 38, 5, 11, 8)),
        (90, (20, 38, 5, 11, 8)),
        (80, (20, 28, 5, 11, 8)),
        (70, (19, 19, 5, 11, 8)),
        (60, (19, 19, 5, 11, None)),
        (45, (18, 18, 5, None, None)),
        (40, (15, 16, 5, None, None)),
        (30, (10, 11, 5, None, None)),
        (10, (10, 11, 5, None, None)),
    ],
)
def test_what_gives_way(total: int, widths: tuple[int | None, ...]) -> None:
    """Wide columns are shortened, then columns are omitted by rank, then the rest is shortened."""
    assert fit(COLUMNS, (20, 38, 5, 11, 8), total).widths == widths


def test_numbers_are_never_cut() -> None:
    """Half a number would be another number."""
    columns = (TextColumn("a", is_number=True), TextColumn("b", is_number=True))
    assert fit(columns, (30, 30), 20).widths == (30, 30)


def test_what_is_extra_is_left_out_before_names_are_cut() -> None:
    """Up to a width that most names have."""
    columns = (
        TextColumn("name", least=8, roomy=12),
        TextColumn("rows", is_number=True),
        TextColumn("size", is_number=True, rank=1, is_extra=True),
    )
    assert fit(columns, (30, 5, 8), 40).widths == (23, 5, 8)
    assert fit(columns, (30, 5, 8), 35).widths == (28, 5, None)
    assert fit(columns, (30, 5, 8), 24).widths == (17, 5, None)


@pytest.mark.parametrize(
    ("text", "doubt"), [("A", 0), ("東京", 0), ("👍🏽", 2), ("🧑🏽‍🍳", 4), ("e\u0301", 0)]
)
def test_some_terminals_draw_the_parts_of_an_emoji_one_by_one(text: str, doubt: int) -> None:
    """So a table leaves room for them, and its lines do not break there."""
    assert doubt_of(text) == doubt
