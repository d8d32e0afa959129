"""Contents and a scanner, through the real door: what it knows is refused, and all when it is silent."""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from serment.server import application
from tests.doors.samples import Json, entry
from tests.doors.served import Served, running, sentence
from tests.fakes.clamd import EICAR, FakeClamd
from tests.installation import installation

PDF = b"%PDF-1.7\n"


@dataclass(repr=False)
class Watched:
    """A server and the scanner that it was told of."""

    server: Served
    clamd: FakeClamd

    def unfinished(self) -> int:
        """Count what nothing points to, once what was asked of the store before is done."""
        self.server.house.passage.store.submit(lambda _: None).result()
        with self.server.house.passage.store.snapshot() as snapshot:
            return len(snapshot.unfinished_blobs(100))


@pytest.fixture(scope="module")
def _watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("scanning")
    clamd = FakeClamd(Path(folder / "clamd.ctl"), most=4 * 1024 * 1024)
    with installation(folder / "data") as made, socket.create_server(("127.0.0.1", 0)) as listening:
        made.house.close()
        made.settings = replace(made.settings, scanner=str(clamd.path))
        address = f"http://localhost:{listening.getsockname()[1]}"
        house = replace(made.reopen(), base=f"{address}/fhir")
        app = application(lambda: house, lambda: None)
        with running(app, listening):
            yield Watched(Served(made, house, address, app), clamd)
    clamd.stop()


@pytest.fixture
def watched(_watched: Watched) -> Iterator[Watched]:
    _watched.clamd.broken = False
    yield _watched
    _watched.server.hang_up()


def uploaded(watched: Watched, content: bytes) -> httpx.Response:
    headers = {
        "content-type": "application/pdf",
        "x-security-context": f"Patient/{watched.server.record()}",
    }
    return watched.server.staff("team-doctor").post("Binary", content=content, headers=headers)


def sheet(watched: Watched, content: bytes) -> Json:
    attachment = {"contentType": "application/pdf", "data": base64.b64encode(content).decode()}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11488-4"}]},
        "subject": {"reference": f"Patient/{watched.server.record()}"},
        "content": [{"attachment": attachment}],
    }


def documents(watched: Watched) -> int:
    asked = {"patient": watched.server.record(), "_count": "0"}
    total: int = watched.server.staff("team-doctor").get("DocumentReference", params=asked).json()["total"]
    return total


@pytest.mark.capability("0-17", "lets")
def test_a_harmless_content_is_kept_and_was_seen_whole(watched: Watched) -> None:
    content = PDF + bytes(700_000)
    assert uploaded(watched, content).status_code == 201
    assert watched.clamd.seen[-1] == len(content)
    made = watched.server.staff("team-doctor").post("DocumentReference", json=sheet(watched, PDF + b"x"))
    assert made.status_code == 201, made.text
    assert watched.clamd.seen[-1] == len(PDF) + 1


@pytest.mark.capability("0-17", "refuses")
@pytest.mark.parametrize("before", [0, 300_000, 2_000_000])
def test_a_harmful_content_in_pieces_leaves_nothing(watched: Watched, before: int) -> None:
    answer = uploaded(watched, PDF + bytes(before) + EICAR)
    assert (answer.status_code, sentence(answer)) == (422, "scanning.found")
    assert watched.unfinished() == 0


def test_a_harmful_content_inside_a_resource_leaves_nothing(watched: Watched) -> None:
    before = documents(watched)
    doctor = watched.server.staff("team-doctor")
    alone = doctor.post("DocumentReference", json=sheet(watched, PDF + EICAR))
    together = doctor.post(
        "",
        json={
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [entry(sheet(watched, PDF)), entry(sheet(watched, PDF + EICAR))],
        },
    )
    assert sentence(alone) == "scanning.found"
    assert together.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert (alone.status_code, together.status_code) == (422, 422)
    assert documents(watched) == before


def test_more_than_the_scanner_looks_at_is_not_kept(watched: Watched) -> None:
    answer = uploaded(watched, PDF + bytes(6 * 1024 * 1024))
    assert (answer.status_code, sentence(answer)) == (413, "scanning.too-large")
    assert watched.unfinished() == 0


def test_a_scanner_that_is_silent_stops_contents_and_nothing_else(watched: Watched) -> None:
    before = documents(watched)
    watched.clamd.broken = True
    streamed = uploaded(watched, PDF + bytes(400_000))
    inside = watched.server.staff("team-doctor").post("DocumentReference", json=sheet(watched, PDF))
    assert (streamed.status_code, sentence(streamed)) == (503, "scanning.away")
    assert (inside.status_code, sentence(inside)) == (503, "scanning.away")
    assert documents(watched) == before
    assert watched.unfinished() == 0


@pytest.mark.capability("3-11", "refuses")
def test_a_file_that_the_scanner_knows_is_refused_on_the_page_and_what_was_typed_stays(
    watched: Watched,
) -> None:
    server = watched.server
    page = server.browser()
    page.get(server.code(server.installation.staff("team-doctor"), "/today"))
    here = f"/record/{server.record()}/deposit"
    key = re.search(r'name="csrf" value="([0-9a-f]+)"', page.get(here).text)
    assert key is not None
    fields = {
        "csrf": key[1],
        "source": "received",
        "author": "Inconnu",
        "day": "2026-10-02",
        "sort": "letter",
        "title": "Fichier reçu",
        "text": "",
    }
    answer = page.post(here, data=fields, files={"file": ("a.pdf", PDF + EICAR, "application/pdf")})
    assert 400 <= answer.status_code < 500
    assert 'value="Fichier reçu"' in answer.text
    assert "Bundle" not in answer.text
    watched.clamd.broken = True
    silent = page.post(here, data=fields, files={"file": ("a.pdf", PDF, "application/pdf")})
    assert silent.status_code == 503
    listed = server.staff("attending").get(f"DocumentReference?patient={server.record()}&_count=200").text
    assert "Fichier reçu" not in listed
