"""Documents too large to commit: thousands of fields, fifty megabytes in a cell, deep nesting."""

from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map

from tests.fidelity.expect.big import BIG
from tests.fidelity.expect.compare import assert_same, read
from tests.fidelity.test_cases import make
from tests.support.apps import place_by_name
from tests.support.mirrors import open_mirror
from tests.support.program import sync

LARGER = {"big_fields_5000"}
"""What only `make test-slow` makes: another case shows the same with less."""


@pytest.mark.node
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case in LARGER else []) for case in BIG]
)
def test_big_document_is_shown_whole(case: str, tmp_path: Path) -> None:
    """Size alone loses nothing."""
    make(tmp_path, case)
    mirror = place_by_name(tmp_path / f"{case}.yjs", tmp_path)
    sync(mirror.parent)
    with open_mirror(mirror) as connection:
        assert_same(read(connection), BIG[case]())


def test_index_of_too_many_columns(tmp_path: Path) -> None:
    """A table wider than FTS5 can index loses some columns of its index, and no cell."""
    names = [f"f{index:05}" for index in range(1998)]
    fields = {name: {"type": "text", "nullable": True} for name in names}
    doc: Doc[Any] = Doc(client_id=1)
    doc.get("definition", type=Map)["tables"] = {"t": {"fields": fields}}
    doc.get("tables", type=Map)["t"] = Map({"r1": Map({name: f"word {name}" for name in names})})
    document = tmp_path / "wide.yjs"
    document.write_bytes(doc.get_update())
    mirror = place_by_name(document, tmp_path)
    sync(mirror.parent, "--fts")
    with open_mirror(mirror) as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [
            ("r1", *(f"word {name}" for name in names), None)
        ]
        left_out = connection.execute("SELECT field FROM _mirror_problems WHERE kind = 'fts'")
        assert {name for (name,) in left_out} == set(names[-8:])
        found = connection.execute("SELECT count(*) FROM t_fts WHERE t_fts MATCH 'f00001'")
        assert found.fetchone() == (1,)
