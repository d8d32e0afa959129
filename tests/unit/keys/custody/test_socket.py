"""Custody over its socket: hostile frames, crashes, other users, two at once."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from serment.errors import CustodyError, IntegrityError, LockedError, SermentError
from serment.keys.custody import calls, frames
from serment.keys.custody.client import CustodyClient, CustodyProcess, start
from serment.keys.custody.contract import Phase, StoreKind
from serment.keys.custody.keyfile import KEY_FILE
from serment.keys.custody.server import answer, converse
from serment.keys.custody.vault import Vault
from serment.keys.material import RecordKind, Unwrapped
from serment.model import RecordToken
from tests.unit.keys.custody.rooms import ALICE, BRUNO, PASSPHRASE, REQUEST, ROOT_1, Clock, served, vault_in

CHEAP = ("--memory=32",)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with vault_in(tmp_path, Clock()) as vault:
        vault.init(PASSPHRASE, StoreKind.DEMO)
        yield vault


@contextmanager
def running(directory: Path, *options: str) -> Iterator[tuple[CustodyProcess, CustodyClient]]:
    """Run custody as its own process."""
    process, client = start(directory, *CHEAP, *options), CustodyClient(directory)
    try:
        yield process, client
    finally:
        client.close()
        process.stop()


def answered(vault: Vault, sent: bytes) -> bytes:
    """Give everything that custody answers to these raw bytes before it closes."""
    ours, theirs = socket.socketpair()
    talk = threading.Thread(target=converse, args=(vault, theirs))
    talk.start()
    ours.sendall(sent)
    ours.shutdown(socket.SHUT_WR)
    talk.join()
    theirs.shutdown(socket.SHUT_WR)
    with theirs, ours:
        return b"".join(iter(lambda: ours.recv(65_536), b""))


def failure(raw: bytes) -> calls.Failed:
    failed = calls.decode_answer(raw)
    assert isinstance(failed, calls.Failed)
    return failed


# Hostile frames


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00",
        b"\x00\x00\x00",
        b"\x00\x00\x00\x09short",
        b"\x00\x10\x00\x01",
        b"\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n",
    ],
)
def test_a_truncated_or_huge_frame_ends_the_conversation(vault: Vault, sent: bytes) -> None:
    said = answered(vault, sent)
    assert failure(said[4:]).sentence == "custody.bad-frame"
    assert vault.state().phase is Phase.OPEN


def test_a_connection_that_says_nothing_gets_nothing(vault: Vault) -> None:
    assert answered(vault, b"") == b""


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        b"\x90",
        msgspec.msgpack.encode({"op": "dump"}),
        msgspec.msgpack.encode({"op": "unwrap"}),
        msgspec.msgpack.encode({"op": "unwrap", "record": 3, "request": "r", "year": 2026}),
        msgspec.msgpack.encode({"op": "unwrap", "record": ALICE, "request": "r", "year": "2026"}),
        msgspec.msgpack.encode({"op": "unwrap", "record": [ALICE, ALICE], "request": "r", "year": 2026}),
        msgspec.msgpack.encode({"op": "lock", "and": "more"}),
        msgspec.msgpack.encode({"op": "make", "record": ALICE, "kind": "operator", "year": 2026}),
        b"\x91" * 5000,
        b"\x81\xa2op\xa5\xa2oate",  # text that is no UTF-8: the decoder raises another error than its own
    ],
)
def test_a_malformed_call_is_refused_and_changes_nothing(vault: Vault, frame: bytes) -> None:
    assert failure(answer(vault, frame)).sentence in {"custody.bad-call"}
    assert vault.state().phase is Phase.OPEN
    assert vault.state().records == 0


def test_one_call_gives_the_keys_of_one_record(vault: Vault) -> None:
    """No call takes a list of records to unwrap: several are made at once, when nothing is in them yet."""
    lists = [call for call in calls.AnyCall.__args__ if "records" in call.__struct_fields__]
    assert lists == [calls.MakeAll, calls.Forget]
    vault.make(ALICE, RecordKind.PATIENT, 2026)
    several = calls.MakeAll([BRUNO, ALICE], RecordKind.PATIENT, 2026)
    assert failure(answer(vault, calls.encode(several))).sentence == "custody.record-exists"


def test_an_error_that_nobody_foresaw_does_not_show_its_message(
    vault: Vault, capfd: pytest.CaptureFixture[str]
) -> None:
    raw = calls.encode(calls.Sign(2**63, ROOT_1, "log"))
    huge = calls.encode(calls.Sign(2**64 - 1, ROOT_1, "log"))
    vault._file.close()
    assert failure(answer(vault, raw)).sentence == "custody.broken"
    assert failure(answer(vault, huge)).sentence == "custody.broken"
    assert "log" not in capfd.readouterr().err


def test_calls_and_answers_show_nothing() -> None:
    shown = repr(
        (
            calls.Unlock("phrase", None),
            calls.Done(msgspec.Raw(b"key")),
            calls.Make(ALICE, RecordKind.PATIENT, 1),
        )
    )
    assert "phrase" not in shown
    assert "key" not in shown
    assert "AAAA" not in shown


def test_an_error_of_an_unknown_class_becomes_a_custody_error() -> None:
    assert calls.Failed("SystemExit", "custody.broken", {}).error_class() is CustodyError


# The other side of the socket


def test_custody_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    for client in (CustodyClient(tmp_path), CustodyClient(tmp_path / "nowhere")):
        with pytest.raises(CustodyError) as caught:
            client.state()
        assert caught.value.sentence == "custody.unreachable"


@pytest.mark.parametrize(
    "said", [b"", b"\x00\x00", b"\x00\x00\x00\x01\xc1", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\x90"]
)
def test_a_listener_that_is_not_custody_gives_no_answer(tmp_path: Path, said: bytes) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(tmp_path / frames.SOCKET))
    listener.listen()

    def reply() -> None:
        connection, _ = listener.accept()
        with connection:
            frames.receive(connection)
            connection.sendall(said)

    thread = threading.Thread(target=reply)
    thread.start()
    with pytest.raises(CustodyError):
        CustodyClient(tmp_path).state()
    thread.join()
    listener.close()


def test_a_custody_that_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / frames.SOCKET))
        listener.listen()
        with pytest.raises(CustodyError):
            CustodyClient(tmp_path, timeout=0.05).state()


def test_many_threads_ask_at_once(vault: Vault, tmp_path: Path) -> None:
    records = [RecordToken(bytes([n]) * 16) for n in range(1, 60)]
    with served(vault, tmp_path) as client, ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda record: client.make(record, RecordKind.PATIENT, 2026), records))
        again = list(threads.map(lambda record: client.unwrap(record, REQUEST, 2026), records))
    assert made == again
    assert [keys.record for keys in made] == records


def test_a_directory_with_a_very_long_name_is_served(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 90) / ("y" * 90)
    deep.mkdir(parents=True)
    with vault_in(deep) as vault, served(vault, deep) as client:
        assert client.state().phase is Phase.NEW


def test_a_client_finds_custody_again_after_it_was_restarted(tmp_path: Path) -> None:
    client = CustodyClient(tmp_path)
    for phase in (Phase.NEW, Phase.NEW):
        with vault_in(tmp_path) as vault, served(vault, tmp_path):
            assert client.state().phase is phase
    client.close()


# As its own process


def test_custody_starts_locked_and_a_second_one_does_not_start(tmp_path: Path) -> None:
    with running(tmp_path) as (_, client):
        client.init(PASSPHRASE, StoreKind.PRODUCTION)
        second = subprocess.run(
            [sys.executable, "-m", "serment.keys.custody", str(tmp_path)], capture_output=True, check=False
        )
        assert second.returncode == 6
        with pytest.raises(CustodyError):
            start(tmp_path)
        assert client.state().phase is Phase.OPEN
    with running(tmp_path) as (_, client):
        assert (client.state().phase, client.state().kind) == (Phase.LOCKED, StoreKind.PRODUCTION)
        with pytest.raises(LockedError):
            client.installation()


def test_the_socket_is_closed_to_other_users_and_removed_at_the_end(tmp_path: Path) -> None:
    with running(tmp_path) as (process, _):
        assert (tmp_path / frames.SOCKET).stat().st_mode & 0o777 == 0o600
        process.stop()
        assert process.process.returncode == 0
    assert not (tmp_path / frames.SOCKET).exists()


def test_a_damaged_key_file_does_not_start(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"no database" * 1000)
    ended = subprocess.run(
        [sys.executable, "-m", "serment.keys.custody", str(tmp_path)], capture_output=True, check=False
    )
    assert ended.returncode == IntegrityError.exit_code
    assert "fichier de clés" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can act as another user")
def test_a_process_of_another_user_is_not_heard() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        with running(directory, f"--user={os.getuid()}", "--user=65532") as (_, client):
            assert client.state().phase is Phase.NEW
            assert as_user(65532, directory) == "heard"
            assert as_user(65533, directory) == "not heard"


def as_user(user: int, directory: Path) -> str:
    """Say what a process of `user` gets: connecting is allowed by the file, answering is not."""
    code = (
        "import os, socket, sys\n"
        "os.setuid(int(sys.argv[1]))\n"
        "s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[2])\n"
        "try:\n    s.sendall(b'\\x00\\x00\\x00\\x01\\xc1'); print('heard' if s.recv(1) else 'not heard')\n"
        "except OSError:\n    print('not heard')\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(user), str(directory / frames.SOCKET)],
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def test_custody_leaves_no_core_dump_and_lets_no_peer_read_its_memory() -> None:
    code = (
        "import ctypes, resource\n"
        "from serment.keys.custody.hardening import harden\n"
        "harden()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "(0, 0) 0"


def test_custody_ends_with_the_process_that_started_it_even_when_that_one_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from serment.keys.custody.client import start\n"
        "print(start(pathlib.Path(sys.argv[1])).process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)
    custody = os.pidfd_open(int(done.stdout)) if Path(f"/proc/{int(done.stdout)}").exists() else None
    if custody is not None:
        assert select.select([custody], [], [], 10)[0], "custody outlived its server"
        os.close(custody)


def killed_while_making(directory: Path, after: int) -> dict[RecordToken, Unwrapped]:
    """Make records from four threads, kill -9 custody after `after` of them, give those acknowledged."""
    process, client = start(directory, *CHEAP), CustodyClient(directory)
    if client.state().phase is Phase.NEW:
        client.init(PASSPHRASE, StoreKind.DEMO)
    else:
        client.unlock(PASSPHRASE)
    acknowledged: dict[RecordToken, Unwrapped] = {}
    enough = threading.Event()

    def make() -> None:
        with suppress(SermentError):
            while True:
                record = RecordToken(os.urandom(16))
                acknowledged[record] = client.make(record, RecordKind.PATIENT, 2026)
                several = [RecordToken(os.urandom(16)) for _ in range(7)]
                acknowledged.update(
                    (made.record, made) for made in client.make_all(several, RecordKind.PATIENT, 2026)
                )
                if len(acknowledged) >= after:
                    enough.set()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    enough.wait(30)
    process.kill()
    for thread in threads:
        thread.join()
    client.close()
    return acknowledged


@pytest.mark.parametrize("after", [1, 7, 60])
def test_kill_9_in_the_middle_of_make_loses_no_key_that_was_given(tmp_path: Path, after: int) -> None:
    crash_and_compare(tmp_path, [after])


@pytest.mark.campaign
def test_kill_9_again_and_again_loses_no_key_that_was_given(tmp_path: Path) -> None:
    crash_and_compare(tmp_path, [1 + 13 * n % 97 for n in range(60)])


def crash_and_compare(directory: Path, kills: list[int]) -> None:
    given: dict[RecordToken, Unwrapped] = {}
    for after in kills:
        given |= killed_while_making(directory, after)
    with vault_in(directory) as vault:
        vault.unlock(PASSPHRASE)
        found = {record: vault.unwrap(record, REQUEST, 2026) for record in list(given)[-1000:]}
        assert found.items() <= given.items()
        # What was durable but not acknowledged is whole too: an orphan for the sweep.
        for token in vault.candidates(b"", 10**9, 10_000):
            assert vault.year_keys(RecordToken(token)).years
