"""Any generated document gives the mirror that a second reading of it comes to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fidelity.desk import Desk
from tests.fidelity.generated import CLIENTS, SETTINGS, Crowd, Edit, edits
from tests.fidelity.oracle import mirror_of
from tests.fidelity.support import assert_same, json_columns, opened, place, read, run, walk_json

orders = st.permutations(range(CLIENTS))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One place for document and mirror, used again and again."""
    return Desk(tmp_path_factory.mktemp("desk"))


@SETTINGS
@given(script=edits, order=orders)
def test_generated_document_is_shown_as_read(
    desk: Desk, script: list[Edit], order: list[int]
) -> None:
    """The mirror equals what an independent reader makes of the same bytes; `verify` agrees."""
    crowd = Crowd()
    crowd.play(script)
    update = crowd.merged(order)
    with opened(desk.mirror(update)) as connection:
        assert_same(read(connection), mirror_of(update))
        for table, column in json_columns(connection):
            walk_json(connection, table, column)
    verified = desk.verify()
    assert verified.result == "equal", verified.differences


@SETTINGS
@given(script=edits, first=orders, second=orders)
def test_merge_order_changes_nothing(
    desk: Desk, script: list[Edit], first: list[int], second: list[int]
) -> None:
    """Clients' states merged in any order give the same tables and the same digests."""
    crowd = Crowd()
    crowd.play(script)
    contents = [desk.content(crowd.merged(order)) for order in (first, second)]
    assert contents[0] == contents[1]


@SETTINGS
@given(script=edits)
def test_rewriting_equal_values_changes_no_digest(desk: Desk, script: list[Edit]) -> None:
    """Another past with the same end, here each last edit made twice, has the same digests."""
    once, twice = Crowd(), Crowd()
    ordered = [edit for edit in script if edit[1].__name__ not in ("merge", "add_entry")]
    alone = [(0, *edit[1:]) for edit in ordered]
    once.play(alone)
    twice.play([edit for edit in alone for _ in range(2)])
    contents = [desk.content(crowd.merged([0])) for crowd in (once, twice)]
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_verify_agrees_on_generated_documents(tmp_path: Path, state: Path) -> None:
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
        place(document, tmp_path)
    for command in ("sync", "verify"):
        done = run(command, tmp_path / "workspaces", state=state)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
