"""One table as it was found in a document, and the Table that becomes of it."""

from collections.abc import Collection, Sequence

import msgspec

from sidecar.document.extension import Transaction
from sidecar.document.walk import RawRows, field_names, walk
from sidecar.model import MOST_FIELDS, Layout, Problem, Table, TableDefinition


class FoundTable(msgspec.Struct, frozen=True):
    """One table, its columns not yet known.

    Attributes:
        path: Names from the root down to it.
        layout: How it was recognised.
        rows: Its rows.
        ours: Columns that we add; they win over fields of the same name.
        problems: What could not be shown as asked, so far.
        definition: None when nobody declared it.
        stated: The place that `--tables` states to be a table, as a pattern; empty for all others.
        kept: Columns that a stated table has had; they stay when no row has them any more.
    """

    path: tuple[str, ...]
    layout: Layout
    rows: RawRows
    ours: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    definition: TableDefinition | None = None
    stated: str = ""
    kept: Collection[str] = ()

    @property
    def root(self) -> str:
        """Name of the root that holds it."""
        return self.path[0]

    def ready(self, name: str, txn: Transaction) -> Table:
        """Find out the columns and make the table ready to be walked.

        Args:
            name: Of the table in the document.
            txn: The transaction of the walk.
        """
        rows, declared = self.rows, self.definition.fields if self.definition else None
        names = field_names(rows, txn) if declared is None else {f.name for f in declared}
        if declared is None:
            names = with_kept(names.union(self.ours), self.kept)
        fields = (*self.ours, *sorted(names - {"id", *self.ours}))
        return Table(
            name=name,
            layout=self.layout,
            definition=self.definition,
            fields=fields,
            blocks=lambda: walk(rows, fields, txn),
            problems=tuple(msgspec.structs.replace(p, table=name) for p in self.problems),
            root=self.root,
            stated=self.stated,
        )


def with_kept(names: Collection[str], kept: Collection[str]) -> set[str]:
    """Add to the fields that rows have those that they have had, as long as there is room."""
    found = {*names}
    gone = sorted({*kept} - found - {"id"})
    return found.union(gone[: max(0, MOST_FIELDS - len(found - {"id"}))])


def named(found: Sequence[FoundTable]) -> list[str]:
    """Give each table that was found by its place the last name of its path.

    Where two have one such name, both take the whole path, joined by dots.
    """
    last = [one.path[-1] for one in found]
    twice = {name for name, count in _counted(last).items() if count > 1}
    return [
        ".".join(one.path) if name in twice else name for one, name in zip(found, last, strict=True)
    ]


def _counted(names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts
