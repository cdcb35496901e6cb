"""A SQLite client in its own process: one statement per line on stdin, its result on stdout."""

import json
import sqlite3
import sys


def main() -> None:
    """Execute the statements on one connection, with the standard library's SQLite."""
    connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0.1)
    open_ones: list[sqlite3.Cursor] = []
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            cursor = connection.execute(asked["sql"])
            if asked["rows"] is None:
                answer: object = cursor.fetchall()
            else:
                answer = cursor.fetchmany(asked["rows"])
                open_ones.append(cursor)
        except sqlite3.Error as error:
            answer = str(error)
        sys.stdout.write(json.dumps({"answer": answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
