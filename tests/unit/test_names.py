"""Names of documents and mirrors: no two files have the same mirror."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.names import document_of, is_mirror_name, matching, mirror_of, why_no_document

NAMES = st.text(
    st.sampled_from("ab.*x") | st.characters(exclude_characters="/\0"), min_size=1
) | st.lists(
    st.sampled_from(["tables", ".sqlite", "workspace", ".yjs", ".last-good", ".tmp", "-wal", "."]),
    min_size=1,
).map("".join)


@given(one=NAMES, other=NAMES)
def test_no_two_documents_share_a_file(one: str, other: str) -> None:
    """Neither the mirror nor the copy that is kept of it, and no mirror is a document."""
    named = [name for name in {one, other, "workspace.yjs"} if why_no_document(name) is None]
    files = [mirror_of(name) for name in named]
    files += [file.removesuffix(".sqlite") + ".last-good.sqlite" for file in files]
    assert len(set(files)) == len(files)
    assert not set(files) & set(named)
    assert all(is_mirror_name(file) for file in files)
    assert [document_of(mirror_of(name)) for name in named] == named


@pytest.mark.parametrize(
    "name",
    [
        "tables.sqlite",
        ".tables.sqlite.k3x9.tmp",
        "tables.sqlite.tmp",
        "notes.yjs.sqlite-journal",
        ".x.sqlite.0a.tmp-wal",
        "X.SQLITE",
    ],
)
def test_our_own_files_are_known_by_their_names(name: str) -> None:
    """They are not documents, with any GLOB."""
    assert is_mirror_name(name)
    assert matching([name], ("*", ".*")) == []


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", ["a.yjs", "b.ydoc", "workspace.yjs"]),
        ("*.yjs", ["a.yjs", "workspace.yjs"]),
        (".*", [".hidden.yjs"]),
        ("?.y*", ["a.yjs", "b.ydoc"]),
        ("head.yjs", []),
        ("plain", []),
    ],
)
def test_globs_are_those_of_a_shell(pattern: str, found: list[str]) -> None:
    """Without heads and registries, names without a dot, and hidden files unless asked for."""
    names = ["a.yjs", "b.ydoc", "workspace.yjs", "head.yjs", "registry.yjs", "plain", ".hidden.yjs"]
    assert matching(names, (pattern,)) == found
