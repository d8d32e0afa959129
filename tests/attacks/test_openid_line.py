"""Attacks on the way to an identity provider: slow, endless, leading elsewhere, or never registered."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from serment.errors import DependencyError, RequestError, SignInError
from serment.exits.identity_provider import MOST, Answer, Call, IdentityProviders
from serment.model import Instant
from serment.people.openid import MOST_REFETCHED, OpenId
from serment.people.providers import Kind, Provider, checked, pro_sante_connect
from tests.fakes.receiver import Receiver, receiver

NOW = Instant(1_800_000_000_000)
ISSUER = "https://provider.example/realm"
PROVIDER = Provider("site", Kind.SITE.value, "Site", ISSUER, "serment", "secret", "FR", ("mfa",))
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Document = dict[str, Any]


def described(**changed: object) -> Document:
    good = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "userinfo_endpoint": f"{ISSUER}/userinfo",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


class Paper:
    """A line that answers from paper: each address with a document, and keeps what was asked."""

    def __init__(self, **documents: Callable[[], object]) -> None:
        self.documents = documents
        self.asked: list[str] = []

    def ask(self, call: Call) -> Answer:
        self.asked.append(call.url)
        document = self.documents[call.url.rpartition("/")[2].replace("-", "_")]
        return Answer(200, "application/json", json.dumps(document()).encode())


def begin(document: Document, provider: Provider = PROVIDER) -> str:
    paper = Paper(openid_configuration=lambda: document, wallet_openid_configuration=lambda: document)
    return OpenId(paper).begin(provider, "https://here.example/openid/site/return", NOW)[0]


def test_an_honest_description_leads_to_the_provider() -> None:
    assert begin(described()).startswith(f"{ISSUER}/authorize?response_type=code&client_id=serment&")


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://evil.example/realm"},
        {"issuer": None},
        {"issuer": ISSUER + "/"},
        {"token_endpoint": "https://evil.example/token"},
        {"token_endpoint": "http://provider.example/realm/token"},
        {"token_endpoint": "https://provider.example:8443/realm/token"},
        {"token_endpoint": "https://provider.example@evil.example/token"},
        {"token_endpoint": "https://provider.example.evil.example/token"},
        {"token_endpoint": "https://provider.example"},
        {"token_endpoint": ["https://provider.example/token"]},
        {"jwks_uri": "https://169.254.169.254/latest/meta-data"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://provider.example/keys?x=1"},
        {"jwks_uri": "https://provider.example/keys#x"},
        {"jwks_uri": "https://provider.example/a\r\nHost: evil"},
        {"jwks_uri": "https://[provider.example/keys"},
        {"userinfo_endpoint": "https://localhost/me"},
        {"userinfo_endpoint": None},
        {"authorization_endpoint": "https://evil.example/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"code_challenge_methods_supported": ["plain"]},
        {"token_endpoint_auth_methods_supported": ["none"]},
    ],
)
def test_ssrf_a_description_that_leads_elsewhere_is_refused(changed: Document) -> None:
    with pytest.raises(DependencyError, match="otherwise than it was registered"):
        begin(described(**changed))


def test_the_browser_may_be_sent_to_the_one_other_address_that_was_registered() -> None:
    psc = pro_sante_connect("psc", "serment", "secret")
    endpoints = {name: f"{psc.issuer}/{name}" for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint")}
    wallet = {"authorization_endpoint": f"{psc.wallet}/auth"}
    assert begin({"issuer": psc.issuer, **endpoints, **wallet}, psc).startswith(f"{psc.wallet}/auth?")
    with pytest.raises(DependencyError):
        begin({"issuer": psc.issuer, **endpoints, **wallet, "token_endpoint": f"{psc.wallet}/token"}, psc)


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://provider.example"},
        {"issuer": "https://user:password@provider.example"},
        {"issuer": "https://provider.example?x=1"},
        {"issuer": "file:///etc/passwd"},
        {"name": "Choose"},
        {"name": "choose"},
        {"name": "../x"},
        {"kind": "anybody"},
        {"wallet": "https://wallet.example/path"},
        {"wallet": "http://wallet.example"},
        {"algorithms": ()},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256",)},
        {"acr": ()},
        {"scope": "profile"},
        {"country": "US"},
        {"country": "France"},
        {"label": ""},
        {"secret": ""},
        {"label": "a\nb"},
        {"client": "x" * 201},
        {"issuer": "http://localhost:8081/realm"},
    ],
)
def test_what_is_no_provider_is_not_registered(changed: Document) -> None:
    with pytest.raises(RequestError):
        checked(msgspec.structs.replace(PROVIDER, **changed))


def test_one_outside_the_union_is_registered_with_its_legal_basis_and_one_inside_as_private() -> None:
    for changed in (
        {"country": "US", "basis": "RGPD 46"},
        {"issuer": "http://localhost:1/x", "private": True},
    ):
        provider = msgspec.structs.replace(PROVIDER, **changed)
        assert checked(provider) is provider


def test_forged_key_names_do_not_make_us_ask_without_end() -> None:
    paper = Paper(openid_configuration=described, keys=lambda: {"keys": []})
    party = OpenId(paper)
    token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImZvcmdlZCJ9.e30.AAAA"
    for _ in range(MOST_REFETCHED + 5):
        with pytest.raises(SignInError):
            party.ended(PROVIDER, token, NOW)
    assert paper.asked.count(f"{ISSUER}/keys") == MOST_REFETCHED + 1
    assert paper.asked.count(f"{ISSUER}/.well-known/openid-configuration") == 1


@pytest.fixture
def line() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def ask(line: Receiver, seconds: float = 5.0, **given: Any) -> Answer:
    return IdentityProviders(seconds=seconds).ask(Call(line.url, **{"private": True, **given}))


def test_an_answer_is_read_whole_and_nothing_else_is_sent(line: Receiver) -> None:
    line.says(JSON + b"Content-Length: 2\r\n\r\n{}")
    assert ask(line, form="a=b", authorization="Basic x") == Answer(200, "application/json", b"{}")
    headers = line.headers()
    assert {
        "host",
        "accept",
        "user-agent",
        "connection",
        "content-type",
        "content-length",
        "authorization",
    } == set(headers)
    assert line.received[0].startswith(b"POST /hook HTTP/1.1\r\n")


def test_an_answer_in_pieces_is_read(line: Receiver) -> None:
    line.says(JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
    assert ask(line).body == b"{}"


@pytest.mark.parametrize(
    "said",
    [
        JSON + b"Content-Length: 100000\r\n\r\n" + b"x" * 100_000,
        JSON + b"X: " + b"x" * MOST + b"\r\n\r\n",
        JSON + b"Content-Length: 10\r\n\r\n{}",
        JSON + b"\r\n{}",
        JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
        b"SSH-2.0-x\r\n",
        b"",
    ],
    ids=["huge", "huge-head", "cut", "endless", "cut-chunks", "no-http", "nothing"],
)
def test_an_answer_that_is_huge_cut_or_none_is_no_answer(line: Receiver, said: bytes) -> None:
    line.says(said)
    with pytest.raises(DependencyError):
        ask(line)


def test_a_provider_that_sends_us_elsewhere_is_not_followed(line: Receiver) -> None:
    with receiver() as elsewhere:
        line.says(f"HTTP/1.1 302 Found\r\nLocation: {elsewhere.url}\r\nContent-Length: 0\r\n\r\n".encode())
        assert ask(line).status == 302
        assert elsewhere.received == []


def test_a_provider_that_takes_its_time_is_one_that_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(DependencyError):
            IdentityProviders(seconds=0.1).ask(Call(url, private=True))


def test_an_address_inside_is_called_only_when_it_was_meant_to_be(line: Receiver) -> None:
    with pytest.raises(DependencyError):
        ask(line, private=False)
    assert line.received == []


@pytest.mark.parametrize("given", [{"authorization": "Bearer a\r\nX: b"}, {"form": "é"}])
def test_nothing_that_was_given_makes_a_line_of_its_own(line: Receiver, given: Document) -> None:
    with pytest.raises(DependencyError):
        ask(line, **given)
    assert line.received == []
