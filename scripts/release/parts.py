"""The software bill of materials of a bundle, as CycloneDX. The only user of cyclonedx.

What is frozen is what the distribution requires without extras, on this system, and Python itself.
Of wheels that bring a list of their own (PEP 770: the crates in pycrdt and watchfiles) that is
taken over.
"""

import json
import platform
import ssl
import uuid
from datetime import UTC, datetime
from importlib.metadata import Distribution, distribution
from pathlib import Path

import apsw
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sidecar import __version__

ROOT = "epicenter-sidecar"


def parts_list(target: str, moment: int) -> str:
    """Return the list as JSON; equal for equal parts and an equal moment (Unix seconds)."""
    root = _component(distribution(ROOT), ComponentType.APPLICATION)
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{ROOT}-{__version__}-{target}"))
    bom.metadata.component = root
    bom.metadata.timestamp = datetime.fromtimestamp(moment, UTC)
    components = {ROOT: root}
    for name, found in _required(ROOT).items():
        components[name] = _component(found)
    built_in = [_generic("python", platform.python_version()), _generic("openssl", _openssl())]
    built_in.append(_component(distribution("pyinstaller")))
    for component in [*components.values(), *built_in]:
        if component is not root:
            bom.components.add(component)
    for name, component in components.items():
        needed = [components[one] for one in _requirements(distribution(name))]
        brought = _brought(distribution(name))
        if name == "apsw":
            brought.append(_generic("sqlite", apsw.sqlite_lib_version()))
        for one in brought:
            bom.components.add(one)
        bom.register_dependency(component, [*needed, *brought, *(built_in if name == ROOT else [])])
    return str(JsonV1Dot6(bom).output_as_string(indent=2)) + "\n"


def _required(name: str) -> dict[str, Distribution]:
    """Return all that a distribution needs here, directly or not, by normalized name."""
    found: dict[str, Distribution] = {}
    waiting = _requirements(distribution(name))
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = distribution(one)
            waiting += _requirements(found[one])
    return dict(sorted(found.items()))


def _requirements(of: Distribution) -> list[str]:
    parsed = [Requirement(text) for text in of.requires or ()]
    needed = [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return sorted({canonicalize_name(one.name) for one in needed})


def _component(of: Distribution, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    name = canonicalize_name(of.metadata["Name"])
    purl = PackageURL("pypi", None, name, of.version)
    told = of.metadata.json
    words = str(told.get("license_expression") or told.get("license") or "")
    licences = [LicenseFactory().make_from_string(words)] if words and "\n" not in words else []
    return Component(
        name=name, version=of.version, type=kind, purl=purl, bom_ref=str(purl), licenses=licences
    )


def _generic(name: str, version: str) -> Component:
    purl = PackageURL("generic", None, name, version)
    return Component(name=name, version=version, purl=purl, bom_ref=str(purl))


def _brought(by: Distribution) -> list[Component]:
    """Return the parts that a wheel lists of itself; its own paths tell nobody anything."""
    found: dict[str, Component] = {}
    for file in by.files or ():
        if file.suffix != ".json" or file.parent.name != "sboms":
            continue
        listed = json.loads(Path(str(by.locate_file(file))).read_bytes())
        for one in listed.get("components", ()):
            purl = PackageURL.from_string(one["purl"]) if "purl" in one else None
            if purl is None or purl.qualifiers:
                continue
            found[str(purl)] = Component(
                name=purl.name, version=purl.version, purl=purl, bom_ref=f"{by.name}/{purl}"
            )
    return list(found.values())


def _openssl() -> str:
    return ssl.OPENSSL_VERSION.split()[1]
