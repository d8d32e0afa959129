"""Two server processes on one port and one store: what one writes or ends holds in both, killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest

from serment import settings as settings_
from serment.model import Purpose
from serment.settings import Settings
from tests.doors.samples import weight
from tests.installation import Installation, installation, run

SERVE = """
import sys
from dataclasses import replace
from pathlib import Path
from serment import app, settings, workers
chosen = replace(settings.read({"SERMENT_STORE": sys.argv[2]}, Path(sys.argv[1]), 0), workers=2)
with app.reserve(chosen) as held:
    port = held.getsockname()[1]
    print(port, flush=True)
    workers.serve(replace(chosen, port=port), lambda pids: print(*pids, flush=True))
"""


class Pair:
    """Two processes that serve one installation, and the numbers they have now."""

    def __init__(self, process: subprocess.Popen[str], made: Installation) -> None:
        assert process.stdout
        self.process, self.made, self._said = process, made, process.stdout
        self.base = f"http://127.0.0.1:{int(self._said.readline())}"
        self.pids = self.started()

    def started(self) -> list[int]:
        """Wait until the processes are started, or started again; give their numbers."""
        self.pids = [int(one) for one in self._said.readline().split()]
        return self.pids

    def until(self, condition: Callable[[], bool]) -> None:
        """Ask again and again, for half a minute at most."""
        until = monotonic() + 30
        while not condition():
            assert monotonic() < until, "not in half a minute"

    def get(self, path: str, secret: str = "") -> int:
        """Ask on a connection of its own, so that either process may be the one that answers."""
        headers = {"authorization": f"Bearer {secret}"} if secret else {}
        try:
            return httpx.get(self.base + path, headers=headers).status_code
        except httpx.TransportError:
            return 0

    def ready(self) -> None:
        """Wait until both answer: eight connections in a row find an open house."""
        self.until(lambda: all(self.get("/readyz") == 200 for _ in range(8)))

    def ask(self, secret: str, method: str, path: str, **sent: Any) -> httpx.Response:
        """Ask on a connection of its own, again while a process is being killed and started."""
        headers = {"authorization": f"Bearer {secret}", **sent.pop("headers", {})}
        until = monotonic() + 30
        while True:
            with suppress(httpx.TransportError):
                answer = httpx.request(method, self.base + path, headers=headers, timeout=30, **sent)
                if answer.status_code != 503:
                    return answer
            assert monotonic() < until, "not in half a minute"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("workers"), store=request.param) as one:
        yield one


@contextmanager
def two(made: Installation) -> Iterator[Pair]:
    command = [sys.executable, "-c", SERVE, str(made.settings.directory), made.settings.store]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            pair = Pair(process, made)
            pair.ready()
            yield pair
        finally:
            process.terminate()
            process.wait(60)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"


def test_a_word_of_the_patient_rules_the_next_request_of_either_process(made: Installation) -> None:
    house, item = made.house, made.item("maskable")
    secret = house.sessions.issue(made.staff("team-doctor"), Purpose.TREAT, house.passage.clock())
    with two(made) as pair:
        assert {pair.get(f"/fhir/{item}", secret) for _ in range(12)} == {200}
        run(house.choosing.mask(made.as_patient(), made.record(), item))
        assert {pair.get(f"/fhir/{item}", secret) for _ in range(12)} == {404}
        house.sessions.end(secret)
        assert {pair.get(f"/fhir/{item}", secret) for _ in range(12)} == {401}


def test_a_process_that_dies_is_replaced_and_all_end_together(made: Installation) -> None:
    with two(made) as pair:
        first = list(pair.pids)
        assert len(set(first)) == 2
        os.kill(first[1], signal.SIGKILL)
        again = pair.started()
        assert again[0] == first[0]
        assert again[1] not in first
        pair.ready()
    assert not any(map(alive, {*first, *again})), "nobody is left when the one that started them ends"


def test_both_processes_write_in_one_record_and_one_ledger_whatever_is_killed(made: Installation) -> None:
    """Twelve clients write and read while a process is killed -9: each key stands once, in one order."""
    house = made.house
    secret = house.sessions.issue(made.staff("team-doctor"), Purpose.TREAT, house.passage.clock())

    def write(pair: Pair, name: str) -> str:
        sent = weight(made.record(), identifier=[{"system": "urn:test", "value": name}])
        answer = pair.ask(
            secret, "POST", "/fhir/Observation", json=sent, headers={"idempotency-key": f'"{name}"'}
        )
        assert answer.status_code == 201, answer.text
        id_ = str(answer.json()["id"])
        assert pair.ask(secret, "GET", f"/fhir/Observation/{id_}").status_code == 200
        return id_

    with two(made) as pair, ThreadPoolExecutor(12) as clients:
        names = [str(uuid4()) for _ in range(60)]
        begun = [clients.submit(write, pair, name) for name in names]
        begun[20].result(60)
        os.kill(pair.pids[1], signal.SIGKILL)
        ids = [one.result(60) for one in begun]
        pair.started()
        pair.ready()
        assert len(set(ids)) == len(names)
        for name in names:
            found = pair.ask(
                secret, "GET", f"/fhir/Observation?patient={made.record()}&identifier=urn:test|{name}"
            )
            assert found.json()["total"] == 1
    with house.passage.store.snapshot() as view:
        sequences = [row.sequence for row in view.ledger_entries(1, 1 << 40)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert house.proving.verify().faults == []


def test_of_two_changes_of_one_version_one_stands(made: Installation) -> None:
    house = made.house
    secret = house.sessions.issue(made.staff("team-doctor"), Purpose.TREAT, house.passage.clock())
    with two(made) as pair, ThreadPoolExecutor(8) as clients:
        sent = weight(made.record())
        id_ = str(pair.ask(secret, "POST", "/fhir/Observation", json=sent).json()["id"])
        for version in range(1, 4):

            def change(kilograms: int, version: int = version) -> int:
                body = weight(made.record(), kilograms, id=id_)
                named = {"if-match": f'W/"{version}"'}
                return pair.ask(
                    secret, "PUT", f"/fhir/Observation/{id_}", json=body, headers=named
                ).status_code

            assert sorted(clients.map(change, range(60, 68))) == [200] + [412] * 7


def test_workers_die_with_the_one_that_started_them(made: Installation) -> None:
    with two(made) as pair:
        pids = list(pair.pids)
        pair.process.kill()
        pair.process.wait(60)
        pair.until(lambda: not any(map(alive, pids)))


def test_what_is_counted_in_memory_is_divided_among_the_processes(made: Installation) -> None:
    from serment import app

    with_two = replace(made.settings, workers=2, worker=1)
    house = app.open_house(with_two)
    try:
        alone, shared = made.house.passage.refusals._most, house.passage.refusals._most
        assert (alone, shared) == (120, 60)
    finally:
        house.close()


def test_a_number_of_processes_that_cannot_be_is_refused() -> None:
    from serment.errors import SettingsError

    for value in ("0", "-1", "65", "two"):
        with pytest.raises(SettingsError):
            settings_.read({"SERMENT_WORKERS": value})


def test_a_port_that_somebody_has_is_not_shared_in_silence(made: Installation) -> None:
    from serment import app
    from serment.errors import ConflictError

    with app.reserve(replace(made.settings, port=0)) as held, app.share(port_of(made.settings, held)) as _:
        with pytest.raises(ConflictError):
            app.reserve(port_of(made.settings, held))
        with pytest.raises(ConflictError):
            app.listen(port_of(made.settings, held))


def port_of(chosen: Settings, held: object) -> Settings:
    import socket

    assert isinstance(held, socket.socket)
    return replace(chosen, port=held.getsockname()[1])
