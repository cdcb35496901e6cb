"""The protocol: lines that any host can read, and any line a host may write."""

import json
import subprocess
from typing import Any

import pytest

from sidecar.errors import ProtocolError
from sidecar.host.protocol import (
    EVENTS,
    LONGEST_LINE,
    Command,
    FailedEvent,
    Pong,
    RebuiltEvent,
    Waiting,
    decode,
    encode,
    id_of,
    merge,
)
from sidecar.host.typescript import json_schema, typescript
from tests.support.data import PROJECT
from tests.support.program import run


def rebuilt(changed: list[str], removed: list[str], *, regressed: bool = False) -> RebuiltEvent:
    """Make an event of a rebuild."""
    return RebuiltEvent(
        workspace="w1",
        epoch=0,
        path="/w",
        reason="changed",
        changed=changed,
        removed=removed,
        rows=1,
        problems=0,
        warm=False,
        regressed=regressed,
        ms=1,
    )


def test_an_event_is_one_line_of_ascii() -> None:
    """Line separators, control characters and astral text are escaped, and read back equal."""
    text = "é\u2028\n\r\x00\x1b[31m\U0001f600"
    line = encode(Waiting(root=text))
    assert line.isascii()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line)["root"] == text


def test_lone_surrogates_become_replacement_characters() -> None:
    """Strict readers refuse them, so they are replaced."""
    line = encode(Waiting(root="/a\udcff/\ud83d"))
    assert json.loads(line)["root"] == "/a\ufffd/\ufffd"


def test_absent_fields_are_absent_and_null_is_null() -> None:
    """A failure without a document has no path; without a retry ``retry_ms`` is null."""
    event = json.loads(encode(FailedEvent(code="locked", message="m", retry_ms=None, holder_pid=7)))
    assert event == {
        "type": "failed",
        "v": 1,
        "time": "",
        "code": "locked",
        "message": "m",
        "retry_ms": None,
        "holder_pid": 7,
    }


@pytest.mark.parametrize("id_", ["a", 7, 1.5, -1, 2**70, ""])
def test_replies_echo_the_id(id_: str | float) -> None:
    """Any string or number is returned as it was."""
    line = json.dumps({"type": "ping", "id": id_, "unknown": [1]}).encode()
    command = decode(line)
    assert command.id == id_
    assert json.loads(encode(Pong(id=id_)))["id"] == id_


def test_a_command_may_leave_everything_out() -> None:
    """Only the type is needed."""
    assert decode(b' {"type": "sync"} \r') == Command(type="sync")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b'{"type": "explode"}',
        b'{"type": 1}',
        b'{"type": "sync", "epoch": "0"}',
        b'{"type": "sync", "epoch": 1.5}',
        b'{"type": "sync", "force": 1}',
        b'{"type": "ping", "id": []}',
        b'{"type": "ping", "id": true}',
        b'{"type": "sync", "workspace": "\\ud800"}',
        b'{"type": "ping"} {"type": "ping"}',
        b"\xff\xfe",
        b"\x00" * 100,
        b"[" * LONGEST_LINE,
        b"[" * (LONGEST_LINE + 1),
        b'{"type": "ping", "id": "' + b"a" * LONGEST_LINE + b'"}',
    ],
)
def test_a_bad_line_is_a_protocol_error(line: bytes) -> None:
    """Every line is either a command or a ``ProtocolError``."""
    with pytest.raises(ProtocolError) as error:
        decode(line)
    assert error.value.code == "protocol"
    assert "\n" not in error.value.message


def test_a_bad_line_keeps_its_id() -> None:
    """A host can match the failure with its command if the line has an id."""
    assert id_of(b'{"type": "explode", "id": 5}') == 5
    assert not id_of(b"{")


def test_rebuilds_that_wait_merge() -> None:
    """The union of changed and removed tables; a table that was made again is not removed."""
    merged = merge(rebuilt(["a", "b"], ["c"], regressed=True), rebuilt(["c"], ["b"]))
    assert (merged.changed, merged.removed, merged.regressed) == (["a", "c"], ["b"], True)


def test_the_committed_schema_is_what_the_code_says() -> None:
    """docs/protocol.schema.json is `epicenter-sidecar protocol --json-schema`."""
    committed: Any = json.loads((PROJECT / "docs" / "protocol.schema.json").read_text())
    assert committed == json_schema() == run("protocol", "--json-schema").json()


def test_the_client_holds_the_types_of_the_code() -> None:
    """sidecar/host/tauri.ts contains `epicenter-sidecar protocol --typescript`."""
    types = typescript()
    assert types in (PROJECT / "sidecar" / "host" / "tauri.ts").read_text()
    assert run("protocol", "--typescript").out == types


def test_the_client_is_printed_as_it_is() -> None:
    """The printed client is the tested file."""
    client = (PROJECT / "sidecar" / "host" / "tauri.ts").read_text()
    assert run("protocol", "--typescript-client").out == client


def test_every_event_is_in_the_types() -> None:
    """Each event of the code is in the types."""
    for event in EVENTS:
        assert f'{{ type: "{event.__struct_config__.tag}";' in typescript()


def test_protocol_asks_which_form() -> None:
    """Without a choice there is nothing to print: usage, exit 2."""
    done = run("protocol")
    assert (done.code, done.out) == (2, "")
    assert "--json-schema" in done.err


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    """`protocol --json-schema | head -1` ends quietly."""
    command = "epicenter-sidecar protocol --json-schema | head -1"
    done = subprocess.run(  # noqa: S602 - a pipe
        f'PATH="{PROJECT}/.venv/bin:$PATH"; {command}',
        shell=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == b"{"
    assert done.stderr == b""
