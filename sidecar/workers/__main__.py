"""The worker's own process: takes one batch at a time on stdin and answers on stdout.

Started by ``workers.pool`` with the supervisor's pid. On POSIX it only forks and waits, so that a
crash, a hang or grown memory is a batch's and never its own. On Windows it does the batch itself
and ends after a decode, which is how the memory is given back.
"""

import os
import signal

from sidecar.pipes import read_chunks, split_lines, write_all
from sidecar.workers.fork import Child, die_with_parent
from sidecar.workers.messages import Batch, Ended, batch_of, to_line
from sidecar.workers.run import preload, run_batch

_NICE = 10


def main(parent: int) -> None:
    """Serve batches until stdin ends.

    Args:
        parent: The supervisor's pid; when that is gone, so is this process.
    """
    batches, answers = _take_over_pipes()
    if os.name == "posix":
        die_with_parent(parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the supervisor
        os.nice(_NICE)
    preload(keeps=os.name == "posix")
    kept: list[Child] = []
    for line in split_lines(read_chunks(batches)):
        _serve(batch_of(line), batches, answers, kept)


def _take_over_pipes() -> tuple[int, int]:
    """Keep the pipes for messages alone: a stray print goes to stderr, a stray read finds none."""
    batches, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return batches, answers


def _serve(batch: Batch, batches: int, answers: int, kept: "list[Child]") -> None:
    if os.name == "posix":
        from sidecar.workers.fork import AbandonedError, run_forked  # POSIX

        try:
            ended = run_forked(
                batch, lambda line: _write(answers, line), lifeline=batches, kept=kept
            )
        except AbandonedError:
            os._exit(0)
        _write(answers, to_line(ended))
        return
    is_light = run_batch(batch, lambda answer: _write(answers, to_line(answer)))
    _write(answers, to_line(Ended()))
    if not is_light:
        os._exit(0)


def _write(answers: int, line: bytes) -> None:
    try:
        write_all(answers, line)
    except OSError:
        os._exit(1)  # the supervisor is gone
