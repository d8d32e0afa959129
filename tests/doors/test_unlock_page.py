"""The unlock page over HTTP: only our own page takes a passphrase to custody, over TLS or on this machine."""

from __future__ import annotations

import html
import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from serment import app
from serment.keys.custody.client import CustodyClient
from serment.server import application
from serment.serving import Doorkeeper
from tests.doors.served import running
from tests.installation import PASSPHRASE, Installation, small_installation

WRONG = "phrase tout à fait autre"
FORM = {"content-type": "application/x-www-form-urlencoded"}
OURS = {"sec-fetch-site": "same-origin"}
"""What a browser adds to a form of our own page; no page can write it."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A served installation, and its address. Every test finds it locked."""

    made: Installation
    door: Doorkeeper
    address: str
    page: httpx.Client

    def send(self, passphrase: str, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send the form as a browser does, or with other headers."""
        return self.page.post(
            "/unlock", data={"passphrase": passphrase}, headers=OURS if headers is None else headers
        )

    def lock(self) -> None:
        """Lock custody and let the door see it."""
        self.custody("lock")
        self.door.hurry()
        self.door.turn()

    def custody(self, call: str) -> object:
        """Make one call to custody."""
        client = CustodyClient(app.custody_directory(self.made.settings))
        try:
            return getattr(client, call)()
        finally:
            client.close()

    @property
    def wrong(self) -> int:
        """Count the wrong passphrases that custody has seen."""
        return int(self.custody("state").wrong_passphrases)  # type: ignore[attr-defined]  # one call of many


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    with (
        small_installation(tmp_path_factory.mktemp("locked")) as made,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        made.house.close()
        door = Doorkeeper(made.settings)
        address = f"http://localhost:{listening.getsockname()[1]}"
        with (
            running(application(door.house, lambda: None, door.unlock), listening),
            httpx.Client(base_url=address, timeout=60) as page,
        ):
            yield Locked(made, door, address, page)
        door.stop()


@pytest.fixture
def locked(serving: Locked) -> Locked:
    serving.lock()
    return serving


def said(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


@pytest.mark.capability("0-09", "lets")
def test_the_right_passphrase_opens_the_server_and_leaves_the_address_clean(locked: Locked) -> None:
    assert "Phrase secrète" in said(locked.page.get("/unlock"))
    answer = locked.send(PASSPHRASE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/unlocked")
    assert locked.page.get("/readyz").status_code == 200
    assert "Le serveur est déverrouillé" in said(locked.page.get("/unlocked"))


@pytest.mark.capability("0-09", "refuses")
def test_a_wrong_passphrase_opens_nothing_is_counted_and_is_not_repeated(locked: Locked) -> None:
    before = locked.wrong
    answer = locked.send(WRONG)
    assert answer.status_code == 403
    assert "Phrase secrète incorrecte." in said(answer)
    assert 'name="passphrase"' in answer.text
    assert WRONG not in said(answer)
    assert WRONG not in str(answer.headers)
    assert locked.wrong == before + 1
    assert locked.page.get("/readyz").status_code == 503


def test_an_empty_form_is_said_and_not_counted(locked: Locked) -> None:
    before = locked.wrong
    answer = locked.send("")
    assert (answer.status_code, "Saisissez la phrase secrète." in said(answer)) == (403, True)
    assert locked.wrong == before


def test_it_speaks_english_to_whoever_prefers_it(locked: Locked) -> None:
    english = {**OURS, "accept-language": "en"}
    assert "Type the passphrase." in said(locked.send("", english))
    assert "no record opens before" in said(locked.page.get("/unlock", headers=english))


def test_an_open_server_asks_for_no_passphrase(locked: Locked) -> None:
    locked.send(PASSPHRASE)
    for answer in (locked.page.get("/unlock"), locked.send(WRONG)):
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert locked.send(WRONG).headers["location"] == "/"
    locked.lock()
    assert locked.page.get("/unlocked").headers["location"] == "/unlock"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "origin": "OURS"},
        {"origin": "https://another.example"},
        {"origin": "null"},
    ],
)
def test_a_form_of_another_site_reaches_no_custody(locked: Locked, headers: dict[str, str]) -> None:
    before = locked.wrong
    sent = {name: locked.address if value == "OURS" else value for name, value in headers.items()}
    answer = locked.send(WRONG, sent)
    assert answer.status_code == 403
    assert "ne vient pas de la page" in said(answer)
    assert locked.send(PASSPHRASE, sent).status_code == 403
    assert locked.wrong == before
    assert locked.page.get("/readyz").status_code == 503


def test_a_browser_that_only_says_its_origin_is_heard(locked: Locked) -> None:
    assert locked.send(PASSPHRASE, {"origin": locked.address}).status_code == 303


RELAYED = {"x-forwarded-for": "192.0.2.7"}
"""What a relay on this machine says of whom it speaks for; it is believed from this machine only."""


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(RELAYED, id="from another machine"),
        pytest.param({**RELAYED, "x-forwarded-proto": "http"}, id="from another machine, said so"),
        pytest.param({"host": "practice.example"}, id="by a name that was made to lead here"),
        pytest.param({"host": "192.0.2.7:8080"}, id="by the address of the network"),
    ],
)
def test_no_passphrase_is_taken_or_asked_where_it_could_be_read_on_the_way(
    locked: Locked, headers: dict[str, str]
) -> None:
    before = locked.wrong
    for answer in (
        locked.page.get("/unlock", headers=headers),
        locked.send(PASSPHRASE, {**OURS, **headers}),
        locked.send(WRONG, {**OURS, **headers}),
    ):
        assert answer.status_code == 403
        assert "pas chiffrée" in said(answer)
        assert 'name="passphrase"' not in answer.text
    assert locked.wrong == before
    assert locked.page.get("/readyz").status_code == 503


def test_another_machine_unlocks_through_tls(locked: Locked) -> None:
    through = {**RELAYED, "x-forwarded-proto": "https", "host": "practice.example"}
    assert locked.page.get("/unlock", headers=through).status_code == 200
    assert locked.send(PASSPHRASE, {"origin": "https://practice.example", **through}).status_code == 303


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_every_name_of_this_machine_is_this_machine(locked: Locked, host: str) -> None:
    assert locked.page.get("/unlock", headers={"host": f"{host}:8080"}).status_code == 200


def test_a_passphrase_in_the_address_is_not_read(locked: Locked) -> None:
    before = locked.wrong
    assert locked.page.get("/unlock", params={"passphrase": PASSPHRASE}).status_code == 200
    answer = locked.page.post("/unlock", params={"passphrase": PASSPHRASE}, headers=OURS)
    assert (answer.status_code, locked.wrong) == (403, before)
    assert locked.page.get("/readyz").status_code == 503


def test_a_form_that_is_too_large_is_refused(locked: Locked) -> None:
    sent = b"passphrase=" + b"x" * 100_000
    assert locked.page.post("/unlock", content=sent, headers={**OURS, **FORM}).status_code == 413


def test_guesses_at_once_are_refused_save_one(locked: Locked) -> None:
    """Custody waits after a wrong one: whoever sends many fills neither its connections nor its queue."""
    for _ in range(2):
        locked.send(WRONG)  # custody waits longer each time: the others come while it does
    before = locked.wrong
    answers: list[int] = []
    guesses = [
        threading.Thread(
            target=lambda: answers.append(
                httpx.post(
                    f"{locked.address}/unlock", data={"passphrase": WRONG}, headers=OURS, timeout=60
                ).status_code
            )
        )
        for _ in range(12)
    ]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert set(answers) == {403, 429}
    assert locked.wrong - before == answers.count(403)
    assert locked.send(PASSPHRASE).status_code == 303


def test_what_was_typed_is_in_no_log_and_no_file(
    locked: Locked, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        locked.send(WRONG)
        locked.send(WRONG, {})
        locked.send(PASSPHRASE)
    told = "".join(capfd.readouterr()) + "".join(
        record.getMessage() for record in caplog.records if not record.name.startswith("http")
    )
    for word in (WRONG, PASSPHRASE, WRONG.rsplit(maxsplit=1)[-1]):
        assert word not in told
        assert not any(word.encode() in file.read_bytes() for file in files(locked.made.settings.directory))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_server_that_another_fault_shut_asks_for_no_passphrase(tmp_path: Path) -> None:
    with small_installation(tmp_path) as made:
        made.house.close()
        for path in sorted(made.settings.directory.glob("record.sqlite*")):
            path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 64)
        door = Doorkeeper(made.settings)
        door.turn()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"http://localhost:{listening.getsockname()[1]}"
            with running(application(door.house, lambda: None, door.unlock), listening):
                answer = httpx.get(f"{address}/unlock")
        door.stop()
    assert answer.status_code == 500
    assert 'name="passphrase"' not in answer.text


def test_custody_that_is_away_is_said(tmp_path: Path) -> None:
    with small_installation(tmp_path) as made:
        made.house.close()
        made.custody.kill()
        door = Doorkeeper(made.settings)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            address = f"http://localhost:{listening.getsockname()[1]}"
            with running(application(door.house, lambda: None, door.unlock), listening):
                answer = httpx.post(f"{address}/unlock", data={"passphrase": PASSPHRASE}, headers=OURS)
        door.stop()
    assert answer.status_code == 503
    assert "gardien des clés ne répond pas" in said(answer)
