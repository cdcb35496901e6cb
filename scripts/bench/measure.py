"""What processes cost: wall and CPU seconds, peak memory, and what others took meanwhile."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

MB = 1 << 20
SECONDS = 1800
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
_QUIET_S = 0.3
_QUIET_SHARE = 0.15
_SAMPLE_S = 0.02


class Usage(msgspec.Struct, frozen=True):
    """What one command cost, all its processes together.

    Attributes:
        wall_s: From spawn to exit.
        cpu_s: User and system seconds.
        largest_mb: Peak resident memory of its largest process.
        others: Cores that the rest of the machine used meanwhile.
        output: Its stdout.
    """

    wall_s: float
    cpu_s: float
    largest_mb: float
    others: float
    output: str


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command to its end.

    Raises:
        RuntimeError: It failed; the text is what it wrote to stderr.
    """
    busy, start = _busy_s(), time.perf_counter()
    process = _spawn(command, environment)
    with process:
        errors: list[bytes] = []
        reader = threading.Thread(target=lambda: errors.append(_read(process.stderr)))
        reader.start()
        output = _read(process.stdout)
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
    if process.returncode:
        message = f"{' '.join(command)}: exit code {process.returncode}\n{errors[0].decode()}"
        raise RuntimeError(message)
    cpu_s = usage.ru_utime + usage.ru_stime
    return Usage(
        wall_s=wall_s,
        cpu_s=cpu_s,
        largest_mb=usage.ru_maxrss * _MAXRSS_BYTES / MB,
        others=max(0.0, (_busy_s() - busy - cpu_s) / wall_s),
        output=output.decode(),
    )


def peak_of_all_mb(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Run a command and return the peak of its processes' memory together, shared pages once.

    Sampled, and reading the figures takes time: a run of its own, whose seconds mean nothing.
    """
    peak = 0.0
    with _spawn(command, environment) as process:
        for stream in (process.stdout, process.stderr):
            threading.Thread(target=_read, args=(stream,), daemon=True).start()
        while process.poll() is None:
            peak = max(peak, memory_mb(tree(process.pid)))
            time.sleep(_SAMPLE_S)
    return peak


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants, as far as they are still there."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_mb(processes: Sequence[psutil.Process]) -> float:
    """Return the memory of processes, pages shared among them counted once where that is known."""
    return sum(_sum(processes, _memory)) / MB


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return the CPU seconds of processes and of the children they have waited for."""
    return sum(_sum(processes, lambda process: sum(process.cpu_times()[:4])))


def wake_ups(processes: Sequence[psutil.Process]) -> float:
    """Return how often the threads of processes have gone to sleep so far (Linux)."""
    return sum(_sum(processes, _sleeps))


def wait_for_quiet(patience_s: float) -> None:
    """Wait until the machine has little else to do, or for ``patience_s`` at most."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        before = _busy_s()
        time.sleep(_QUIET_S)
        if _busy_s() - before < _QUIET_SHARE * _QUIET_S:
            return


def remove(*paths: Path) -> None:
    """Remove files that may not be there."""
    for path in paths:
        path.unlink(missing_ok=True)


def _sum(
    processes: Sequence[psutil.Process], figure: Callable[[psutil.Process], float]
) -> list[float]:
    figures: list[float] = []
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
            figures.append(figure(process))
    return figures


def _memory(process: psutil.Process) -> float:
    if sys.platform != "linux":
        return float(process.memory_full_info().uss)
    rollup = Path(f"/proc/{process.pid}/smaps_rollup")
    try:
        lines = rollup.read_text().splitlines()
    except (OSError, ProcessLookupError):
        return 0.0
    return sum(float(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def _sleeps(process: psutil.Process) -> float:
    count = 0
    for status in Path(f"/proc/{process.pid}/task").glob("*/status"):
        with suppress(OSError):
            _, _, rest = status.read_text().partition("\nvoluntary_ctxt_switches:")
            count += int(rest.split()[0])
    return count


def _busy_s() -> float:
    """CPU seconds that the whole machine has been busy since it started."""
    times = psutil.cpu_times()
    return sum(times[:3]) if sys.platform == "linux" else times.user + times.system


def _spawn(
    command: Sequence[str], environment: Mapping[str, str] | None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )


def _read(stream: object) -> bytes:
    return stream.read() if hasattr(stream, "read") else b""
