"""What a thief, a fault or an accident does to content in chunks, and what comes out: never a wrong byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import apsw
import httpx
import pytest

from serment.app import STORE_FILE
from serment.record.blobs import CHUNK
from tests.doors.served import Served, sentence, served
from tests.doors.test_binary import PDF, PIECE, SIZE, content, digest, made, post

RAW = {"accept": "application/pdf"}
CHUNKS = 4
Tamper = Callable[[apsw.Connection, bytes, bytes, int], None]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("attacks")) as running:
        yield running


def disk(server: Served) -> apsw.Connection:
    connection = apsw.Connection(str(server.installation.settings.directory / STORE_FILE))
    connection.set_busy_timeout(5000)
    return connection


def blobs(connection: apsw.Connection) -> set[bytes]:
    return {row[0] for row in connection.execute("SELECT DISTINCT blob FROM chunk")}


def upload(server: Served, client: httpx.Client, connection: apsw.Connection) -> tuple[str, bytes, bytes]:
    """Keep a document of several chunks; give its id, its content and the name of its blob."""
    before, data = blobs(connection), content((CHUNKS - 1) * CHUNK + 1000)
    id_ = made(post(client, f"Patient/{server.record()}", data))
    (blob,) = blobs(connection) - before
    return id_, data, blob


def received(client: httpx.Client, id_: str, accept: str = "application/pdf") -> tuple[int, bytes, bool]:
    """Read a document as far as it comes: status, bytes, and whether the answer was whole."""
    got = bytearray()
    try:
        with client.stream("GET", f"Binary/{id_}", headers={"accept": accept}) as answer:
            for piece in answer.iter_raw():
                got += piece
    except httpx.RemoteProtocolError:
        return answer.status_code, bytes(got), False
    return answer.status_code, bytes(got), True


def flip(connection: apsw.Connection, blob: bytes, _other: bytes, index: int) -> None:
    where = (blob, index)
    sealed = bytearray(connection.execute(f"{SEALED} WHERE blob = ? AND position = ?", where).get)
    sealed[len(sealed) // 2] ^= 1
    connection.execute("UPDATE chunk SET sealed = ? WHERE blob = ? AND position = ?", (bytes(sealed), *where))


def delete(connection: apsw.Connection, blob: bytes, _other: bytes, index: int) -> None:
    connection.execute("DELETE FROM chunk WHERE blob = ? AND position = ?", (blob, index))


def swap_with_its_neighbour(connection: apsw.Connection, blob: bytes, _other: bytes, index: int) -> None:
    near = index - 1 if index == CHUNKS - 1 else index + 1
    for old, new in ((index, -1), (near, index), (-1, near)):
        connection.execute("UPDATE chunk SET position = ? WHERE blob = ? AND position = ?", (new, blob, old))


def swap_with_another_document(connection: apsw.Connection, blob: bytes, other: bytes, index: int) -> None:
    sealed = connection.execute(f"{SEALED} WHERE blob = ? AND position = ?", (other, index)).get
    connection.execute("UPDATE chunk SET sealed = ? WHERE blob = ? AND position = ?", (sealed, blob, index))


def cut_short(connection: apsw.Connection, blob: bytes, _other: bytes, index: int) -> None:
    connection.execute("DELETE FROM chunk WHERE blob = ? AND position >= ?", (blob, index))


SEALED = "SELECT sealed FROM chunk"
ATTACKS: list[Tamper] = [flip, delete, swap_with_its_neighbour, swap_with_another_document, cut_short]


@pytest.mark.capability("0-09", "refuses")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@pytest.mark.parametrize("index", [0, 1, CHUNKS - 1])
def test_a_chunk_that_is_not_the_one_written_is_never_served(
    server: Served, attack: Tamper, index: int
) -> None:
    connection = disk(server)
    with server.staff("team-doctor") as doctor:
        _, _, other = upload(server, doctor, connection)
        id_, data, blob = upload(server, doctor, connection)
        assert received(doctor, id_) == (200, data, True)
        attack(connection, blob, other, index)
        status, got, whole = received(doctor, id_)
        again = doctor.get(f"Patient/{server.record()}")
    connection.close()
    touched = index - 1 if attack is swap_with_its_neighbour and index == CHUNKS - 1 else index
    if touched == 0:
        assert (status, whole) == (500, True)
        assert PDF not in got
    else:
        assert (status, whole) == (200, False)
        assert digest(got) == digest(data[: touched * CHUNK])
    assert again.status_code == 200


def test_json_is_cut_too_and_never_closed_over_a_missing_chunk(server: Served) -> None:
    connection = disk(server)
    with server.staff("team-doctor") as doctor:
        id_, _, blob = upload(server, doctor, connection)
        delete(connection, blob, blob, 2)
        status, got, whole = received(doctor, id_, "application/fhir+json")
    connection.close()
    assert (status, whole) == (200, False)
    assert not got.endswith(b"}")


def test_a_chunk_that_was_changed_is_found_before_anybody_reads_it(server: Served) -> None:
    connection = disk(server)
    with server.staff("team-doctor") as doctor:
        _, _, blob = upload(server, doctor, connection)
    before = broken_rows(server)
    flip(connection, blob, blob, 2)
    connection.close()
    assert broken_rows(server) == before + 1


def broken_rows(server: Served) -> int:
    """Verify everything; give how many rows are not what was written (other tests break some)."""
    server.house.proving.checkpoint()
    return len(server.house.proving.verify().faults)


def test_a_fault_of_a_chunk_says_nothing_of_the_document(server: Served) -> None:
    connection = disk(server)
    with server.staff("team-doctor") as doctor:
        id_, _, blob = upload(server, doctor, connection)
        delete(connection, blob, blob, 0)
        answer = doctor.get(f"Binary/{id_}", headers=RAW)
    connection.close()
    assert sentence(answer) == "binary.altered"
    assert "content-disposition" not in answer.headers


# Nothing beside the store.


def test_an_upload_opens_no_file_but_the_store(server: Served) -> None:
    """The promise of a sealed disk would not hold for a spooled temporary file."""
    seen: set[str] = set()
    before = open_files()

    def watched() -> Iterator[bytes]:
        yield PDF
        for _ in range(SIZE // PIECE):
            yield os.urandom(PIECE)
            seen.update(open_files() - before)

    with server.staff("team-doctor") as doctor:
        made(post(doctor, f"Patient/{server.record()}", watched()))
    folder = str(server.installation.settings.directory)
    assert [name for name in seen if not name.startswith(folder)] == []


def open_files() -> set[str]:
    """List the files that this process holds open, by name: no socket, pipe or device."""
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            target = os.readlink(entry)
            if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
                found.add(target)
    return found


def test_what_was_uploaded_is_not_readable_on_the_disk(server: Served) -> None:
    marker = b"BLOB-CANARY-5f1d2c"
    with server.staff("team-doctor") as doctor:
        id_ = made(post(doctor, f"Patient/{server.record()}", PDF + marker * 40_000))
        doctor.get(f"Binary/{id_}", headers=RAW)
    folder: Path = server.installation.settings.directory
    leaks = [path.name for path in folder.rglob("*") if path.is_file() and marker in path.read_bytes()]
    assert leaks == []


def test_twenty_megabytes_pass_both_ways_in_bounded_memory(server: Served) -> None:
    """Client, server and sealer together stay within a few chunks; the content never stands whole."""

    def noise() -> Iterator[bytes]:
        yield PDF
        for _ in range(SIZE // PIECE):
            yield os.urandom(PIECE)

    with server.staff("team-doctor") as doctor:
        tracemalloc.start()
        id_ = made(post(doctor, f"Patient/{server.record()}", noise()))
        with doctor.stream("GET", f"Binary/{id_}", headers=RAW) as answer:
            length = sum(len(piece) for piece in answer.iter_raw())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert length == SIZE + len(PDF)
    assert peak < 24 * CHUNK


# Accidents.


def test_an_upload_that_stops_halfway_leaves_nothing(server: Served) -> None:
    connection = disk(server)
    before = blobs(connection)

    def broken() -> Iterator[bytes]:
        yield PDF
        for _ in range(40):
            yield bytes(PIECE)
        raise OSError("the cable is out")

    with server.staff("team-doctor") as doctor, pytest.raises(OSError, match="cable"):
        post(doctor, f"Patient/{server.record()}", broken())
    with server.staff("team-doctor") as doctor:
        for _ in range(500):  # each answer gives the server a turn to notice who has gone
            if blobs(connection) == before:
                break
            doctor.get("metadata")
    assert blobs(connection) == before
    connection.close()


def test_killed_in_mid_upload_only_orphan_chunks_remain_and_a_sweep_drops_them(server: Served) -> None:
    connection = disk(server)
    server.house.depositing.sweep()
    before, faults = blobs(connection), broken_rows(server)
    directory = str(server.installation.settings.directory)
    argv = [sys.executable, "-m", "tests.doors.uploading", directory, server.record()]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as uploader:
        assert uploader.stdout is not None
        assert uploader.stdout.readline() == b"stored\n"
        uploader.send_signal(signal.SIGKILL)
    orphans = blobs(connection) - before
    assert len(orphans) == 1
    assert server.house.depositing.sweep() == 1
    assert blobs(connection) == before
    assert server.house.depositing.sweep() == 0
    with server.staff("team-doctor") as doctor:
        assert received(doctor, made(post(doctor, f"Patient/{server.record()}", PDF))) == (200, PDF, True)
    assert broken_rows(server) == faults
    connection.close()
