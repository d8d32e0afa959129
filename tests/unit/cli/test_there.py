"""The HTTP door seen from the terminal: a token goes to the address that was typed, and nowhere else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from serment.cli.there import There
from serment.errors import DependencyError, NotSupportedError, RefusedError, RequestError, SermentError


class Answering(BaseHTTPRequestHandler):
    """Answers what the test says, and keeps what was asked."""

    status = 200
    body: bytes = b"{}"
    location = ""
    asked: list[tuple[str, str, str]]

    def _answer(self) -> None:
        self.asked.append((self.command, self.path, self.headers["authorization"]))
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.status)
        if self.location:
            self.send_header("location", self.location)
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815  http.server names them so

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def server(status: int = 200, body: Any = None, location: str = "") -> Iterator[tuple[str, list[Any]]]:
    raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    asked: list[tuple[str, str, str]] = []
    handler = type(
        "Once", (Answering,), {"status": status, "body": raw, "location": location, "asked": asked}
    )
    served = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}", asked
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


def outcome(text: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"details": {"text": text}}]}


@pytest.mark.parametrize(
    "url", ["http://clinic.example", "ftp://localhost", "file:///etc/passwd", "localhost:8080", ""]
)
def test_a_token_never_leaves_in_clear(url: str) -> None:
    with pytest.raises(RequestError) as error:
        There(url, "secret")
    assert error.value.sentence == "cli.url-not-safe"


@pytest.mark.parametrize(
    "url", ["https://clinic.example", "http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"]
)
def test_tls_and_this_machine_are_safe(url: str) -> None:
    assert "secret" not in repr(There(url, "secret"))


@pytest.mark.parametrize(
    ("status", "class_"),
    [
        (404, RequestError),
        (422, RequestError),
        (401, RefusedError),
        (403, RefusedError),
        (429, RefusedError),
        (503, DependencyError),
    ],
)
def test_a_refusal_comes_in_the_server_s_words(status: int, class_: type[SermentError]) -> None:
    with server(status, outcome("Introuvable.")) as (url, _), pytest.raises(class_) as error:
        There(url, "secret").history("Observation", "1")
    assert "Introuvable." in str(error.value)


def test_a_redirection_is_not_followed_with_the_token() -> None:
    with (
        server() as (elsewhere, stolen),
        server(302, location=f"{elsewhere}/fhir/") as (url, asked),
        pytest.raises(SermentError),
    ):
        There(url, "secret").history("Observation", "1")
    assert len(asked) == 1
    assert stolen == []


def test_a_proxy_of_the_environment_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as (proxy, seen), server(200, {"entry": []}) as (url, asked):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        There(url, "secret").history("Observation", "1")
    assert (len(asked), seen) == (1, [])


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"text"'])
def test_an_answer_that_is_not_fhir_is_not_believed(body: bytes) -> None:
    with server(200, body) as (url, _), pytest.raises(DependencyError):
        There(url, "secret").history("Observation", "1")


def test_an_address_where_nobody_answers_is_said() -> None:
    with server() as (url, _):
        pass
    with pytest.raises(DependencyError) as error:
        There(url, "secret").history("Observation", "1")
    assert error.value.sentence == "cli.no-answer"


def test_an_id_cannot_lead_to_another_address() -> None:
    with server(200, {"resourceType": "Bundle"}) as (url, asked):
        There(url, "secret").history("Observation", "../../Patient?x=1")
    assert asked[0][1] == "/fhir/Observation/../../Patient%3Fx%3D1/_history" or "?" not in asked[0][1]


def test_unmasking_deletes_the_choices_on_that_item_and_no_other() -> None:
    def consent(id_: str, *references: str) -> dict[str, Any]:
        data = [{"reference": {"reference": reference}} for reference in references]
        return {
            "resource": {"resourceType": "Consent", "id": id_, "provision": {"type": "deny", "data": data}}
        }

    entries = [
        consent("a", "Condition/1"),
        consent("b", "Condition/2"),
        consent("c"),
        consent("d", "Condition/1", "Condition/2"),
    ]
    with server(200, {"entry": entries}) as (url, asked):
        There(url, "secret").unmask("somebody", "Condition/1")
    assert [path for method, path, _ in asked if method == "DELETE"] == ["/fhir/Consent/a"]


def test_what_fhir_cannot_say_is_refused_with_the_page_to_go_to() -> None:
    door = There("http://localhost:1", "secret")
    for ask in (lambda: door.trace("somebody"), lambda: door.attending("somebody", "10000000000")):
        with pytest.raises(NotSupportedError) as error:
            ask()
        assert "/me" in str(error.value)
