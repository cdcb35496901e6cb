"""Extension modules are loaded without their packages."""

import subprocess
import sys

import pytest

from sidecar.extensions import load_extension

ALONE = """\
import sys
from sidecar.extensions import load_extension
module = load_extension(*sys.argv[1:3])
assert getattr(module, sys.argv[3])
assert load_extension(*sys.argv[1:3]) is module
print(*sorted({"anyio", "asyncio", "pycrdt", "watchfiles"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("package", "module", "name"),
    [("pycrdt", "_pycrdt", "Doc"), ("watchfiles", "_rust_notify", "RustNotify")],
)
def test_the_package_itself_is_not_run(package: str, module: str, name: str) -> None:
    """Its imports do not run either; a second call returns the same module."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, package, module, name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_what_has_no_file_is_imported() -> None:
    """A module that is not an extension is imported through its package."""
    assert load_extension("json", "decoder") is sys.modules["json.decoder"]


def test_what_is_not_there_is_said() -> None:
    """With ImportError, as by an import."""
    with pytest.raises(ImportError):
        load_extension("json", "no_such_module")


WHOLE = """\
import sidecar, msgspec
from msgspec.inspect import StructType
assert isinstance(msgspec.inspect.type_info(int), msgspec.inspect.IntType)
assert msgspec.json.schema(list[int])["type"] == "array"
assert msgspec.toml.decode(b"a = 1") == {"a": 1}
"""


def test_msgspec_is_whole_for_a_program_that_imports_the_package() -> None:
    """Its parts that a start of ours leaves out are there when somebody uses them."""
    subprocess.run([sys.executable, "-c", WHOLE], check=True)
