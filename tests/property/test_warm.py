"""A state machine: a document is edited, merged, reloaded, rolled back and torn, in any order.

It is followed by the warm road, and each form of it is decoded afresh as well: both show the same,
and every row that differs from those of the last mirror is named.
"""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, multiple, rule
from pycrdt import Array, Doc, Map, Text

from tests.support.examples import examples
from tests.support.sessions import Follower

KEYS = st.sampled_from(["a", "b", "c", "", "é", "r1", "r2"])
NAMES = st.sampled_from(["notes", "tasks"])
FIELDS = st.sampled_from(["title", "body", "list", "id", "extra"])
WORDS = st.text("aé😀'", max_size=4)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.floats(width=32), WORDS, st.lists(WORDS)
)
ENTRIES = st.one_of(
    st.fixed_dictionaries(
        {"key": KEYS, "val": st.dictionaries(FIELDS, VALUES), "ts": st.integers(0, 9)}
    ),
    st.fixed_dictionaries({"key": KEYS, "val": VALUES}),
    WORDS,
)
KINDS = {"tables": Map, "definition": Map, "kv": Map, "table:log": Array}


def opened(update: bytes | None = None, client: int | None = None) -> Doc[Any]:
    """Open a document as an app does."""
    doc: Doc[Any] = Doc(client_id=client) if client else Doc()
    if update:
        doc.apply_update(update)
    for name, kind in KINDS.items():
        doc.get(name, type=kind)
    return doc


class Machine(RuleBasedStateMachine):
    """Two devices that edit one document, of which the first saves."""

    saves = Bundle("saves")

    @initialize(target=saves)
    def begin(self) -> Any:
        """Fill the document, and follow it."""
        self.follower = Follower()
        self.app = opened()
        for name in ("notes", "tasks"):
            rows = {key: Map({"id": key, "title": key, "body": Text("x")}) for key in "abc"}
            self.app["tables"][name] = Map(rows)
        self.app["table:log"].append({"key": "a", "val": {"title": "x"}, "ts": 1})
        self.app["kv"]["theme"] = "dark"
        self.device = opened(self.app.get_update())
        return self.save(is_published=True)

    @rule(target=saves, is_published=st.booleans())
    def save(self, is_published: bool) -> Any:  # noqa: FBT001
        """Save the whole document; the warm road may be taken, and shows the same."""
        update = self.app.get_update()
        self.follower.follow(update, is_published=is_published)
        return update

    def table(self, name: str) -> Any:
        """Give a table, which may have been lost to an older state."""
        tables = self.app["tables"]
        if not isinstance(tables.get(name), Map):
            tables[name] = Map()
        return tables[name]

    @rule(name=NAMES, key=KEYS, field=FIELDS, value=VALUES)
    def set_cell(self, name: str, key: str, field: str, value: Any) -> None:
        """Set a cell of a row, or make the row."""
        table = self.table(name)
        if isinstance(table.get(key), Map):
            table[key][field] = value
        else:
            table[key] = Map({"id": key, field: value})

    @rule(name=NAMES, key=KEYS, value=VALUES)
    def set_odd_row(self, name: str, key: str, value: Any) -> None:
        """A row that is no map."""
        self.table(name)[key] = value

    @rule(name=NAMES, key=KEYS)
    def remove_row(self, name: str, key: str) -> None:
        """Remove a row."""
        if key in self.table(name):
            del self.table(name)[key]

    @rule(name=NAMES, key=KEYS, field=FIELDS)
    def remove_cell(self, name: str, key: str, field: str) -> None:
        """Remove a cell."""
        row = self.table(name).get(key)
        if isinstance(row, Map) and field in row:
            del row[field]

    @rule(name=NAMES, key=KEYS, at=st.integers(0, 9), words=WORDS)
    def type_words(self, name: str, key: str, at: int, words: str) -> None:
        """Type into a text, or put one there."""
        row = self.table(name).get(key)
        if not isinstance(row, Map):
            return
        if isinstance(row.get("body"), Text):
            row["body"].insert(min(at, len(str(row["body"]).encode())), words)
        else:
            row["body"] = Text(words)

    @rule(entry=ENTRIES)
    def add_entry(self, entry: Any) -> None:
        """Append an entry, or what is none."""
        self.app["table:log"].append(entry)

    @rule(at=st.integers(0, 5))
    def remove_entry(self, at: int) -> None:
        """Remove an entry."""
        if at < len(self.app["table:log"]):
            del self.app["table:log"][at]

    @rule(name=NAMES, field=FIELDS)
    def define(self, name: str, field: str) -> None:
        """Declare a table."""
        self.app["definition"]["tables"] = {name: {"fields": {field: {"type": "text"}}}}

    @rule(value=VALUES)
    def set_setting(self, value: Any) -> None:
        """Edit what is no table."""
        self.app["kv"]["theme"] = value

    @rule(name=NAMES)
    def lose_table(self, name: str) -> None:
        """Remove a whole table."""
        if name in self.app["tables"]:
            del self.app["tables"][name]

    @rule()
    def reload(self) -> None:
        """Open the app again: it writes under a new client id."""
        self.app = opened(self.app.get_update())

    @rule()
    def swap(self) -> None:
        """Edit on the other device for a while."""
        self.app, self.device = self.device, self.app

    @rule()
    def merge(self) -> None:
        """Both devices learn of each other's edits, unless they have used one client id."""
        merged = opened(self.app.get_update(), self.app.client_id)
        with suppress(RuntimeError):
            merged.apply_update(self.device.get_update())
            self.app = merged
        self.device = opened(self.app.get_update())

    @rule(target=saves, update=saves)
    def roll_back(self, update: bytes) -> Any:
        """An older state is written over a newer one, and the app goes on from there."""
        self.app = opened(update)
        self.follower.follow(update)
        return multiple()

    @rule(update=saves)
    def use_client_twice(self, update: bytes) -> None:
        """Another session under the same client id, from an older state."""
        self.app = opened(update, self.app.client_id)

    @rule(cut=st.floats(0, 1))
    def tear(self, cut: float) -> None:
        """The file is half written."""
        update = self.app.get_update()
        half = update[: int(cut * len(update))]
        if half:
            self.follower.follow(half)


Machine.TestCase.settings = examples(160, stateful_step_count=30)
TestWarm = Machine.TestCase
