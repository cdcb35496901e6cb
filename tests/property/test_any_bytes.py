"""Any bytes give a Workspace that can be walked to its end, or a coded failure; nothing else.

What is shown of them is judged by real Yjs in tests/fuzz and tests/fault; here it is only that
nothing else can come out of the decoder.
"""

from random import Random

from hypothesis import example, given
from hypothesis import strategies as st

from scripts.fault.damage import damage
from scripts.fault.fuzz import seeds
from sidecar.document.decode import decode
from sidecar.document.heads import read_maps
from sidecar.errors import DocumentUnavailableError, DocumentUnusableError
from sidecar.reference.inspect import inspect_tables
from sidecar.yjs.outline import outline
from sidecar.yjs.store import end_of_update
from tests.support.examples import examples
from tests.support.made import content

DOCUMENTS = [path.read_bytes() for path in seeds() if path.stem != "deep_20000"]

SCALARS = (bool, int, float, str, type(None))

arbitrary = st.binary(max_size=200)
headed = st.builds(lambda rest: b"\1\1\1\0" + rest, st.binary(max_size=100))
damaged = st.builds(lambda seed: damage(DOCUMENTS, Random(seed)), st.integers(0, 2**32))  # noqa: S311


def outcome(data: bytes, *, accept_trailing: bool) -> str | int:
    """Decode and walk everything; return the code of the failure, or the number of rows."""
    try:
        with decode(content(data), accept_trailing=accept_trailing) as workspace:
            return sum(len(block.ids) for table in workspace.tables for block in table.blocks())
    except (DocumentUnavailableError, DocumentUnusableError) as error:
        return error.code


@examples(1200)
@given(st.one_of(arbitrary, headed, damaged).filter(len), st.booleans())
@example(b"\0", False)
@example(b"\0\0", False)
def test_decoding_ends_in_a_workspace_or_a_code(data: bytes, accept_trailing: bool) -> None:  # noqa: FBT001
    """Whatever the bytes are, and the same twice: nothing of one decode is left for the next."""
    first = outcome(data, accept_trailing=accept_trailing)
    assert first == outcome(data, accept_trailing=accept_trailing)


@examples(1200)
@given(st.one_of(arbitrary, headed, damaged).filter(len))
def test_what_is_taken_without_patience_is_taken_with_it(data: bytes) -> None:
    """Waiting for a file to settle can only turn a failure into a document."""
    if isinstance(rows := outcome(data, accept_trailing=False), int):
        assert outcome(data, accept_trailing=True) == rows


@examples(1200)
@given(st.one_of(arbitrary, headed, damaged))
def test_measuring_ends_in_a_position_or_a_value_error(data: bytes) -> None:
    """Within the data, and not dependent on what is behind it."""
    try:
        end = end_of_update(data)
    except ValueError:
        return
    assert 0 < end <= len(data)
    assert end_of_update(data[:end]) == end


@examples(1200)
@given(st.one_of(arbitrary, headed, damaged))
def test_heads_are_read_or_refused(data: bytes) -> None:
    """head.yjs and registry.yjs come from peers too, and no worker stands before them."""
    try:
        roots = read_maps(data)
    except ValueError:
        return
    assert all(isinstance(value, SCALARS) for keys in roots.values() for value in keys.values())


@examples(1200)
@given(st.one_of(arbitrary, headed, damaged))
def test_every_file_has_an_outline(data: bytes) -> None:
    """`inspect` has something to say of whatever it is shown."""
    seen = outline(data)
    assert seen.encoding in ("v1", "v2", "unknown")
    assert 0 <= seen.read <= len(data)


@examples(600)
@given(st.one_of(arbitrary, headed, damaged).filter(len))
def test_every_file_is_inspected_or_refused(data: bytes) -> None:
    """The tables behind the outline, by the public objects of the decoder."""
    try:
        tables = inspect_tables(data)
    except (DocumentUnavailableError, DocumentUnusableError):
        return
    assert [table.name for table in tables] == sorted(table.name for table in tables)
