"""Every address of the door takes anything from anybody signed in: no defect of ours, nobody else's data.

The seeds are requests that are well formed; a part of each is changed: the address, the query, a header,
the body. A page token is one that the server gave.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from urllib.parse import quote

import httpx
import pytest

from tests.doors.samples import weight
from tests.doors.served import Served, served
from tests.fuzz.mutating import inputs
from tests.fuzz.targets import TARGETS

SHORT = 1_200
LONG = 60_000
HEADERS = ("if-match", "if-none-exist", "prefer", "accept", "serment-purpose", "serment-reason", "range")
VALUES = (b'W/"1"', b"code=x", b"return=minimal", b"application/fhir+json", b"ETREAT", b"bytes=0-9")
BODIES = (*TARGETS["resource"].seeds, *TARGETS["patch"].seeds)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("fuzz")) as running:
        yield running


def addresses(server: Served) -> list[bytes]:
    record = server.record()
    plain = [
        f"Patient/{record}",
        f"Patient/{record}/_history",
        f"Patient/{record}/$everything",
        f"Observation/{record}/_history/1",
        f"Observation?patient={record}&_count=2",
        f"Observation/_history?patient={record}",
        f"AuditEvent?patient={record}",
        "Practitioner?identifier=x",
        "metadata?_format=json",
        "ValueSet/$expand?url=urn:serment:reason&filter=x",
        "CodeSystem/$validate-code?url=x&code=y",
        f"Binary/{record}",
        "",
    ]
    return [one.encode() for one in plain]


def asked(server: Served, count: int, number: int) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Give requests: method, address, headers, body."""
    draw = Random(number)  # noqa: S311 - examples for a test, no secret
    paths = addresses(server)
    changed, values = inputs(paths, count, number), inputs(VALUES, count, number)
    bodies = inputs((*BODIES, str(weight(server.record())).encode()), count, number)
    for path, value, body in zip(changed, values, bodies, strict=True):
        method = draw.choice(("GET", "GET", "POST", "PUT", "PATCH", "DELETE"))
        address = quote((path if draw.random() < 0.5 else draw.choice(paths))[:2000], safe="/?&=$,|:+-_.%")
        media = draw.choice(("application/fhir+json", "application/json-patch+json", "application/pdf"))
        headers = {"content-type": media}
        if draw.random() < 0.5:
            headers[draw.choice(HEADERS)] = value[:500].decode("latin-1").translate(_PRINTABLE).strip()
        yield method, address, headers, b"" if method == "GET" else body


_PRINTABLE = dict.fromkeys([*range(32), *range(127, 256)], ".")


def fuzz(server: Served, count: int, number: int) -> None:
    """Send requests as a doctor of the team. What answers 503 or 500 is a defect; so is a stranger's name."""
    doctor = server.staff("team-doctor")
    strangers = set(server.installation.store.ids.values()) - {server.record()}
    for method, address, headers, body in asked(server, count, number):
        answer = doctor.request(method, f"{server.address}/fhir/{address}", headers=headers, content=body)
        assert answer.status_code < 500, (method, address, headers, body, answer.text)
        assert not any(one in answer.text for one in strangers), (method, address)
    server.hang_up()


@pytest.mark.capability("1-30", "refuses")
def test_any_request_is_answered_or_refused(server: Served) -> None:
    fuzz(server, SHORT, 0)


@pytest.mark.campaign
@pytest.mark.parametrize("part", range(1, 11))
def test_many_requests_are_answered_or_refused(server: Served, part: int) -> None:
    fuzz(server, LONG // 10, part)


def page_of(server: Served, client: httpx.Client) -> str:
    asked = {"patient": server.record(), "_count": "1"}
    links = client.get("Observation", params=asked).json()["link"]
    (following,) = [one["url"] for one in links if one["relation"] == "next"]
    return str(following.partition("_page=")[2])


def test_a_page_token_that_was_changed_is_refused(server: Served) -> None:
    doctor = server.staff("team-doctor")
    token = page_of(server, doctor)
    assert doctor.get(f"Observation?_page={token}").status_code == 200
    for changed in inputs([token.encode()], SHORT, 0):
        said = quote(changed[:3000], safe="")
        if said != token:
            answer = doctor.get(f"Observation?_page={said}")
            assert answer.status_code in {400, 410, 413, 429}, (said, answer.text)
    server.hang_up()
