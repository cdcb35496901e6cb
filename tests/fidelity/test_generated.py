"""Any generated document gives the mirror that JavaScript and `verify` come to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts import nodejs
from scripts.children import NodeWriter
from tests.fidelity.expect.compare import json_columns, walk_json
from tests.support.apps import place_by_name
from tests.support.fresh_desk import FreshDesk
from tests.support.generated import CLIENTS, SETTINGS, Crowd, Edit, edits
from tests.support.mirrors import assert_holds, open_mirror
from tests.support.program import run

orders = st.permutations(range(CLIENTS))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> FreshDesk:
    """One place for document and mirror, used again and again."""
    return FreshDesk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def javascript(desk: FreshDesk) -> Iterator[NodeWriter | None]:
    """Real Yjs, which reads the document of the desk; None where there is no Node."""
    if nodejs.missing() is not None:
        yield None
        return
    with NodeWriter(desk.document) as reader:
        yield reader


@SETTINGS
@given(script=edits, order=orders)
def test_generated_document_is_shown_as_read(
    desk: FreshDesk, javascript: NodeWriter | None, script: list[Edit], order: list[int]
) -> None:
    """The mirror equals what JavaScript makes of the same bytes; `verify` agrees."""
    crowd = Crowd()
    crowd.play(script)
    update = crowd.merged(order)
    mirror = desk.mirror(update)
    if javascript is not None and "__proto__" not in repr(script):  # its objects lose that key
        assert_holds(mirror, javascript.expected())
    with open_mirror(mirror) as connection:
        for table, column in json_columns(connection):
            walk_json(connection, table, column)
    verified = desk.verify()
    assert verified.result == "equal", verified.differences


@SETTINGS
@given(script=edits, first=orders, second=orders)
def test_merge_order_changes_nothing(
    desk: FreshDesk, script: list[Edit], first: list[int], second: list[int]
) -> None:
    """Clients' states merged in any order give the same tables and the same digests."""
    crowd = Crowd()
    crowd.play(script)
    contents = [desk.content(crowd.merged(order)) for order in (first, second)]
    assert contents[0] == contents[1]


@SETTINGS
@given(script=edits)
def test_rewriting_equal_values_changes_no_digest(desk: FreshDesk, script: list[Edit]) -> None:
    """Another past with the same end, here each last edit made twice, has the same digests."""
    once, twice = Crowd(), Crowd()
    ordered = [edit for edit in script if edit[1].__name__ not in ("merge", "add_entry")]
    alone = [(0, *edit[1:]) for edit in ordered]
    once.play(alone)
    twice.play([edit for edit in alone for _ in range(2)])
    contents = [desk.content(crowd.merged([0])) for crowd in (once, twice)]
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_verify_agrees_on_generated_documents(tmp_path: Path) -> None:
    """The program's own second road finds every generated mirror equal to its document."""
    documents = tmp_path / "documents"
    documents.mkdir()

    @SETTINGS
    @given(script=edits)
    def collect(script: list[Edit]) -> None:
        crowd = Crowd()
        crowd.play(script)
        number = len(list(documents.iterdir()))
        (documents / f"generated_{number:05}.yjs").write_bytes(crowd.merged(range(CLIENTS)))

    collect()
    for document in sorted(documents.iterdir()):
        place_by_name(document, tmp_path)
    for command in ("sync", "verify"):
        done = run(command, tmp_path / "workspaces")
        assert done.code == 0, done.out[-3000:] + done.err[-3000:]
