"""Loads a package's extension module without running the package.

``import pycrdt`` and ``import watchfiles`` cost 30 to 115 ms and some megabytes for anyio, asyncio
and wrappers that this program does not use; their extension modules alone take 1 to 15 ms.
"""

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType


def load_extension(package: str, module: str) -> ModuleType:
    """Load ``package.module`` from its file, once per process.

    Imports it through the package where no such file is found.

    Raises:
        ImportError: There is no such module.
    """
    name = f"{package}.{module}"
    if name in sys.modules:
        return sys.modules[name]
    found = importlib.util.find_spec(package)
    for folder in (found.submodule_search_locations or ()) if found else ():
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = os.path.join(folder, f"{module}{suffix}")
            if os.path.isfile(path):
                return _load_file(name, path)
    return importlib.import_module(name)


def _load_file(name: str, path: str) -> ModuleType:
    loader = importlib.machinery.ExtensionFileLoader(name, path)
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        return importlib.import_module(name)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    sys.modules[name] = module
    return module
