"""A FHIR client's day: it discovers the server, finds a person, reads, writes, corrects, and pages.

Only what a program knows is used here: the base address, a bearer token and the CapabilityStatement.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.doors.samples import bundle, entry, person, weight
from tests.doors.served import Served, served

FORM = {"content-type": "application/x-www-form-urlencoded"}
VISIT = "urn:uuid:0e2f6f0e-5d0c-4a57-8f0b-7f1c5b7a0001"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("client")) as running:
        yield running
        running.hang_up()


def every(client: httpx.Client, address: str) -> Iterator[dict[str, Any]]:
    """Follow the pages of a search as the links say."""
    following: str | None = address
    while following:
        page = client.get(following).raise_for_status().json()
        yield from (one["resource"] for one in page.get("entry", []) if one["search"]["mode"] == "match")
        following = next((one["url"] for one in page["link"] if one["relation"] == "next"), None)


@pytest.mark.capability("0-13", "lets")
def test_a_day_of_a_client(server: Served) -> None:
    # It learns what the server does.
    statement = httpx.get(f"{server.address}/fhir/metadata").raise_for_status().json()
    abilities = {one["type"]: one for one in statement["rest"][0]["resource"]}
    assert {"read", "create", "update", "search-type"} <= {
        one["code"] for one in abilities["Observation"]["interaction"]
    }
    assert "date" in {one["name"] for one in abilities["Observation"]["searchParam"]}

    # It registers a new person with a first measure, in one transaction.
    client = server.staff("attending")
    sent = bundle(
        {"fullUrl": VISIT, **entry(person("Lanternier", "1988-08-08"))},
        *(entry(weight(VISIT, 70 + day, effectiveDateTime=f"2026-03-{day:02}")) for day in range(1, 8)),
    )
    made = client.post("", json=sent).raise_for_status().json()
    locations = [one["response"]["location"] for one in made["entry"]]
    patient = locations[0].split("/")[-3]

    # It finds that person again by an exact compound, out of the address, and reads her whole.
    asked = {"birthdate": "1988-08-08", "family": "Lanternier"}
    found = client.post("Patient/_search", data=asked, headers=FORM).raise_for_status().json()
    assert [one["resource"]["id"] for one in found["entry"]] == [patient]

    # It pages through the measures in order, each once.
    address = f"Observation?patient=Patient/{patient}&code=http://loinc.org|29463-7&_sort=date&_count=3"
    assert [one["valueQuantity"]["value"] for one in every(client, address)] == [71, 72, 73, 74, 75, 76, 77]

    # It corrects one: the version it read is the version it replaces, and a colleague's answer is 412.
    wrong = client.get(locations[3]).raise_for_status()
    right = {**wrong.json(), "valueQuantity": {"value": 73.5, "unit": "kg"}}
    at = f"Observation/{right['id']}"
    corrected = client.put(at, json=right, headers={"if-match": wrong.headers["etag"]})
    assert corrected.status_code == 200
    assert client.put(at, json=right, headers={"if-match": wrong.headers["etag"]}).status_code == 412
    told = client.get(f"{at}/_history").raise_for_status().json()
    assert [one["resource"]["valueQuantity"]["value"] for one in told["entry"]] == [73.5, 73]

    # It takes one back, and the search forgets it while its history does not.
    assert client.delete(at).status_code == 200
    assert client.get(at).status_code == 410
    assert len(list(every(client, address))) == 6
    assert client.get(f"{at}/_history/1").status_code == 200

    # A client of another practice, with the same addresses, reads nothing of it.
    stranger = server.staff("unrelated-doctor")
    assert list(every(stranger, address)) == []
    assert {stranger.get(one).status_code for one in locations} == {404}
