"""SQL identifiers: how SQLite compares them, how they are quoted."""


def fold(name: str) -> str:
    """Fold a name so that names which SQLite treats as equal become equal: ASCII case only."""
    return name.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def quote(name: str) -> str:
    """Quote an identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'
