"""Parts of a Binary over HTTP, and what large content costs the server in memory."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serment.record.blobs import CHUNK
from tests.doors.served import Served, sentence

PDF = b"%PDF-1.7\n"
SIZE = 3 * CHUNK + 1000
MIB = 1024 * 1024
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def content() -> bytes:
    return PDF + os.urandom(SIZE - len(PDF))


def kept(server: Served, data: bytes | Iterator[bytes]) -> str:
    sent = {"content-type": "application/pdf", "x-security-context": f"Patient/{server.record()}"}
    answer = server.staff("team-doctor").post("Binary", content=data, headers=sent)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].partition("/Binary/")[2].partition("/")[0]


@pytest.fixture(scope="module")
def binary(running: Served, content: bytes) -> str:
    return kept(running, content)


def part(server: Served, id_: str, asked: str, role: str = "team-doctor") -> httpx.Response:
    return server.staff(role).get(f"Binary/{id_}", headers={"range": asked, "accept": "application/pdf"})


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, SIZE),
        (f"bytes=5-{CHUNK - 1}", 5, CHUNK),
        (f"bytes={CHUNK}-{CHUNK}", CHUNK, CHUNK + 1),
        (f"bytes={CHUNK - 3}-{2 * CHUNK + 3}", CHUNK - 3, 2 * CHUNK + 4),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-10", SIZE - 10, SIZE),
        (f"bytes=-{SIZE + 5}", 0, SIZE),
        (f"bytes=100-{SIZE + 5}", 100, SIZE),
    ],
)
def test_a_part_is_served_as_it_stands_in_the_whole(
    server: Served, binary: str, content: bytes, asked: str, start: int, stop: int
) -> None:
    answer = part(server, binary, asked)
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)
    assert answer.content == content[start:stop]
    assert answer.headers["content-disposition"] == "attachment"


def test_parts_of_small_content_are_served_too(server: Served) -> None:
    id_ = kept(server, PDF)
    assert part(server, id_, "bytes=1-3").content == PDF[1:4]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_a_part_beyond_the_end_is_none(server: Served, binary: str, asked: str) -> None:
    answer = part(server, binary, asked)
    assert (answer.status_code, sentence(answer)) == (416, "binary.range")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_the_json_of_a_binary_has_no_parts(server: Served, binary: str) -> None:
    headers = {"range": "bytes=0-1", "accept": "application/fhir+json"}
    answer = server.staff("team-doctor").get(f"Binary/{binary}", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "Binary"


def test_a_part_of_what_is_hidden_is_a_part_of_nothing(server: Served, binary: str) -> None:
    answers = [
        part(server, id_, asked, "unrelated-doctor")
        for id_ in (binary, UNKNOWN)
        for asked in ("bytes=0-1", f"bytes={SIZE}-")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_content_of_64_mib_goes_in_and_out_in_little_memory(server: Served) -> None:
    assert _grown_by(server, 64) < 48 * MIB


@pytest.mark.campaign
def test_content_of_500_mib_goes_in_and_out_in_little_memory(server: Served) -> None:
    assert _grown_by(server, 500) < 64 * MIB


def _grown_by(server: Served, mib: int) -> int:
    """Send and fetch `mib` MiB; give by how much this process, server and client, grew meanwhile."""
    sent, received = hashlib.sha256(), hashlib.sha256()
    noise = os.urandom(MIB)

    def pieces() -> Iterator[bytes]:
        for place in range(mib):
            piece = (PDF + noise)[:MIB] if place == 0 else noise
            sent.update(piece)
            yield piece

    with Memory() as memory:
        id_ = kept(server, pieces())
        doctor = server.staff("team-doctor")
        with doctor.stream("GET", f"Binary/{id_}", headers={"accept": "application/pdf"}) as answer:
            for piece in answer.iter_raw():
                received.update(piece)
    assert sent.digest() == received.digest()
    return memory.most - memory.before


class Memory:
    """Watches the resident memory of this process, in bytes."""

    def __enter__(self) -> Memory:
        self.before = self.most = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            self.most = max(self.most, _resident())


def _resident() -> int:
    pages = Path("/proc/self/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
