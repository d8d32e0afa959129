"""Synthea's bundles: every resource is taken, kept byte for byte, and has its record."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from serment.fhir.document import Document, read
from serment.fhir.owner import InDirectory, OwnedBy, owner
from serment.fhir.transaction import BundleEntry, entries, relink
from serment.fhir.validate import check, issues
from tests.vectors import MISSING, VECTORS

SYNTHEA = VECTORS / "synthea"
pytestmark = pytest.mark.skipif(not SYNTHEA.exists(), reason=MISSING)


@cache
def bundles() -> list[Document]:
    return [read(gzip.decompress(file.read_bytes())) for file in sorted(SYNTHEA.glob("*.json.gz"))]


def all_entries() -> Iterator[BundleEntry]:
    for bundle in bundles():
        yield from entries(bundle)


def test_every_bundle_is_taken_whole() -> None:
    assert len(bundles()) == 23
    assert [issues(bundle) for bundle in bundles()] == [[]] * 23


def test_every_resource_is_taken_alone_and_is_the_bytes_sent() -> None:
    count = 0
    for bundle in bundles():
        at = 0
        for entry, value in zip(entries(bundle), bundle.value["entry"], strict=True):
            assert entry.resource is not None
            document = read(entry.resource)
            check(document)
            assert document.value == value["resource"]
            at = bundle.text.index(document.text, at) + len(document.text)
            count += 1
    assert count == 2570


def test_every_link_is_found_and_every_resource_has_its_record() -> None:
    kinds: Counter[str] = Counter()
    for bundle in bundles():
        links = {}
        for entry in entries(bundle):
            resource = json.loads(entry.resource or b"")
            links[entry.full_url] = f"{resource['resourceType']}/{resource['id']}"
        patients = {link for link in links.values() if link.startswith("Patient/")}
        for entry in entries(bundle):
            linked, unresolved = relink(entry.resource or b"", links)
            found = owner(read(linked).value)
            kinds[type(found).__name__] += 1
            assert unresolved == 0
            assert isinstance(found, InDirectory) or (
                isinstance(found, OwnedBy) and found.reference in patients
            )
    assert kinds == {"OwnedBy": 2302, "InDirectory": 268}
