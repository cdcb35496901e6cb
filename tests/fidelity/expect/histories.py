"""Expected mirrors of the cases in ``cases/histories.mjs``."""

from tests.fidelity.expect.shapes import expected, table

_COLUMNS = "a TEXT!,n INTEGER!"
_LIVELY = expected(
    {
        "t": table(
            _COLUMNS,
            *sorted(
                {
                    **{f"r{n}": (f"r{n}", "round 4", n) for n in range(1, 20, 2)},
                    "r1": ("r1", "a string", 1),
                    "r3": ("r3", "round 4", 33),
                }.values()
            ),
        )
    }
)
_CONCURRENT = expected(
    {
        "t": table(
            _COLUMNS,
            ("both", "by 30", 30),
            ("own10", "mine", 10),
            ("own20", "mine", 20),
            ("own30", "mine", 30),
            ("shared", "by 30", 0),
        )
    }
)

HISTORIES = {
    "hist_gc_on": _LIVELY,
    "hist_gc_off": _LIVELY,
    "hist_deletes": expected(
        {"t": table("a TEXT,n INTEGER!", ("r2", None, 2))}, ("t", "a", "missing", 1, "r2")
    ),
    "hist_undo": expected({"t": table(_COLUMNS, ("r1", "kept", 5), ("r2", "kept", 2))}),
    "hist_concurrent_abc": _CONCURRENT,
    "hist_concurrent_cab": _CONCURRENT,
    "hist_rows_made_again": expected({"t": table(_COLUMNS, ("r1", "life 3", 3))}),
    "hist_tables_made_again": expected({"t": table(_COLUMNS, ("new", "y", 2))}),
    "hist_merged_updates": expected(
        {
            "t": table(
                _COLUMNS,
                ("r00", "typed letter by letter", 0),
                *((f"r{n:02}", f"row {n}", n) for n in range(1, 50)),
            )
        }
    ),
    "hist_thousands": expected(
        {"t": table(_COLUMNS, ("comes", "step 3000", 3000), ("r1", "", 2999), ("r2", "", 3000))}
    ),
    "hist_redefined": expected({"t": table("a TEXT!", ("r1", "now text"))}),
}
