"""What the mirror of each case must hold, written from the specification."""

from tests.fidelity.expect.cells import CELLS
from tests.fidelity.expect.definitions import DEFINITIONS
from tests.fidelity.expect.histories import HISTORIES
from tests.fidelity.expect.keyed import KEYED
from tests.fidelity.expect.names import NAMES
from tests.fidelity.expect.rows import ROWS

CASES = {**ROWS, **NAMES, **DEFINITIONS, **CELLS, **HISTORIES, **KEYED}
