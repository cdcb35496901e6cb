"""Documents that failed in the past, from public bug reports: their cells, and verify equal."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sidecar.model import Options, Source
from sidecar.tasks.sync import sync
from sidecar.tasks.verify import verify
from tests.support.data import REPORTS
from tests.support.mirrors import query

_NEWEST_FIRST = "[" + ",".join(str(number) for number in range(11_999, -1, -1)) + "]"
_MAPS = "[" + ",".join(f'{{"i":{number}}}' for number in range(5_000)) + "]"
_TABLE = (
    '<table><tablerow><tablecell colspan="1" colwidth="200"><paragraph>cell</paragraph>'
    "</tablecell></tablerow></table>"
)

CELLS: dict[str, tuple[str, list[Any]]] = {
    "xml_attribute_shared_type_text": (
        "SELECT body FROM pages",
        ["a healthy row", '<node note="inner"></node>'],
    ),
    "xml_attribute_shared_type_array": (
        "SELECT body FROM pages",
        ["a healthy row", '<node note="[object Object]"></node>'],
    ),
    "xml_attribute_shared_type_hook": (
        "SELECT element FROM rich",
        ['<top a="[object Object]"></top>'],
    ),
    "hook_read_as_nothing": ("SELECT fragment FROM rich", ["[object Object]"]),
    "xml_content_dropped_nested_xmltext": (
        "SELECT body FROM pages",
        ["[object Object]Hello therep"],
    ),
    "xml_content_dropped_text_in_element": ("SELECT body FROM pages", ["<p>plain text</p>"]),
    "verify_false_alarm_xml_object": ("SELECT body FROM pages", ['<n v="[object Object]"></n>']),
    "verify_false_alarm_xml_table_with_column_width": ("SELECT body FROM pages", [_TABLE]),
    "array_cells_quadratic_newest_first_12000": ("SELECT log FROM t", [_NEWEST_FIRST]),
    "array_cells_quadratic_maps_5000": ("SELECT list FROM t", [_MAPS]),
    "other_nul_number": (
        "SELECT n = 12 OR n = 7 OR n = 100, typeof(n) || typeof(x) || typeof(b) FROM t",
        [(1, "integerrealinteger")] * 4,
    ),
}


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """The place of one document."""
    return Source(str(tmp_path / "workspace.yjs"), str(tmp_path / "tables.sqlite"), None, None)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.medium) if "quadratic" in name else name
        for name in CELLS
    ],
)
def test_what_fell_is_shown_as_yjs_shows_it(name: str, source: Source, tmp_path: Path) -> None:
    """As ``toString`` and ``JSON.stringify`` print it in JavaScript."""
    shutil.copy(REPORTS / f"{name}.yjs", source.document)
    options = Options(state_folder=str(tmp_path / "state"))
    sync(source, options)
    sql, expected = CELLS[name]
    found = query(Path(source.mirror), f"{sql} ORDER BY id")
    assert found == [cell if isinstance(cell, tuple) else (cell,) for cell in expected]
    assert verify(source, options).result == "equal"


def test_a_number_before_a_nul_keeps_its_original(source: Source, tmp_path: Path) -> None:
    """SQLite reads it up to the NUL; `_extra` has all of it."""
    shutil.copy(REPORTS / "other_nul_number.yjs", source.document)
    sync(source, Options(state_folder=str(tmp_path / "state")))
    kept = [json.loads(text) for (text,) in query(Path(source.mirror), "SELECT _extra FROM t")]
    texts = ["12\0", "12\0 and this is lost", "007", "1e2\0"]
    assert kept == [dict.fromkeys(("n", "x", "b"), text) for text in texts]
