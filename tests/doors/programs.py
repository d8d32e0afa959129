"""A program that is let in: registered, agreed to by somebody in a browser, with its tokens and its key.

It speaks OAuth as RFC 6749, 7636, 7523 and 9449 write it, by hand, so that an attack can bend any part.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

from serment.model import Actor, Purpose, RequestId
from serment.people.clients import BACKEND, PUBLIC, Client, Contract
from serment.people.programs import Programs
from serment.record.asking import Asking
from serment.record.today import KEEPER
from tests.doors.served import FHIR, Served

BACK = "https://app.example/back"
DAY = 24 * 3600 * 1000
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Pairs = dict[str, str]


def programs_of(server: Served) -> Programs:
    """Give the programs of a served installation."""
    found: Programs = server.app.state.reception.of(server.house).programs
    return found


def as_operator(server: Served) -> Asking:
    """Ask as whoever holds the machine."""
    now = server.house.passage.clock()
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(secrets.token_hex(16)), now)


def processor(now: int, **changed: Any) -> Contract:
    """Give an entry of who answers for a program, in force for a year."""
    said: dict[str, Any] = {
        "name": "Éditions Exemple SAS",
        "purpose": "suivi du diabète",
        "country": "FR",
        "contact": "dpo@app.example",
        "clauses": "contrat 2026-11",
        "until": now + 365 * DAY,
        "reviewed": now - DAY,
    }
    return Contract(**{**said, **changed})


def registered(server: Served, kind: str = PUBLIC, *scopes: str, **changed: Any) -> Client:
    """Register a program under a name of its own."""
    asking = as_operator(server)
    said: dict[str, Any] = {
        "id": f"app-{secrets.token_hex(6)}",
        "name": "Carnet de suivi",
        "kind": kind,
        "processor": processor(asking.now),
        "scopes": scopes,
        "redirects": () if kind == BACKEND else (BACK,),
    }
    return programs_of(server).clients.add(asking, Client(**{**said, **changed}))


def coded(raw: bytes) -> str:
    """Write base64url as RFC 7515 does."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def s256(text: str) -> str:
    """Hash a verifier or a token."""
    return coded(hashlib.sha256(text.encode()).digest())


def signed(header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> str:
    """Sign a compact token."""
    return jws.serialize_compact(header, json.dumps(claims).encode(), key, algorithms=[str(header["alg"])])


def public(key: ECKey, **more: str) -> dict[str, str]:
    """Give the public half of a key."""
    return {**{name: str(value) for name, value in key.as_dict(private=False).items()}, **more}


def proof(key: ECKey, method: str, address: str, nonce: str = "", token: str = "", **changed: Any) -> str:
    """Make a proof of possession. `header` among the changes goes into its header."""
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public(key), **changed.pop("header", {})}
    claims = {
        "jti": secrets.token_hex(8),
        "htm": method,
        "htu": address,
        "iat": int(time.time()),
        **({"nonce": nonce} if nonce else {}),
        **({"ath": s256(token)} if token else {}),
        **changed,
    }
    return signed(header, claims, key)


def assertion(client: str, audience: str, key: ECKey, **changed: Any) -> str:
    """Make an assertion of a program's key. `header` among the changes goes into its header."""
    header = {"typ": "JWT", "alg": "ES384", "kid": "k1", **changed.pop("header", {})}
    now = int(time.time())
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "jti": secrets.token_hex(8),
        "exp": now + 120,
        **changed,
    }
    return signed(header, claims, key)


@dataclass(slots=True)
class Program:
    """One program before a server. `key` is that of its proofs, None for a plain bearer token."""

    server: Served
    id: str
    key: ECKey | None = None
    identity: ECKey | None = None
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    nonce: str = ""
    browser: httpx.Client | None = None

    @property
    def token_address(self) -> str:
        return f"{self.server.address}/token"

    def call(self) -> httpx.Client:
        """Give a client with no session."""
        return self.server.calling(self.server.address, {})

    def asks(self, scope: str, **changed: str) -> str:
        """Give the address to which a browser is sent."""
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": BACK,
            "scope": scope,
            "state": self.state,
            "aud": f"{self.server.address}/fhir",
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
            **changed,
        }
        return f"/authorize?{urlencode({name: value for name, value in asked.items() if value})}"

    def signed_in(self, actor: Actor) -> httpx.Client:
        """Sign somebody in, in a browser."""
        self.browser = self.server.browser()
        assert self.browser.get(self.server.code(actor, "/")).status_code == 303
        return self.browser

    def page(self, actor: Actor, scope: str, **changed: str) -> httpx.Response:
        """Send somebody's browser to the page on which they agree."""
        return self.signed_in(actor).get(self.asks(scope, **changed))

    def answered(
        self, shown: httpx.Response, *, let: bool = True, without: str = "", **said: str
    ) -> dict[str, str]:
        """Answer the page; give what the browser brings back to the program."""
        assert self.browser is not None
        form = form_of(shown, without)
        sent = self.browser.post(
            "/authorize/answer", data={**form, "answer": "let" if let else "refuse", **said}
        )
        assert sent.status_code == 303, sent.text
        return brought_back(sent)

    def code(self, actor: Actor, scope: str, *, without: str = "", **said: str) -> str:
        """Have somebody agree; give the code."""
        return self.answered(self.page(actor, scope), let=True, without=without, **said)["code"]

    def token(self, **form: str) -> httpx.Response:
        """Ask the token endpoint, with a proof of the key and of the program where it has them."""
        sent = {"client_id": self.id, **form}
        answer = self._asked(sent)
        if "use_dpop_nonce" in answer.text or answer.headers.get("dpop-nonce", self.nonce) != self.nonce:
            self.nonce = answer.headers["dpop-nonce"]
            answer = self._asked(sent) if answer.status_code != 200 else answer
        return answer

    def _asked(self, form: Pairs) -> httpx.Response:
        headers = (
            {} if self.key is None else {"dpop": proof(self.key, "POST", self.token_address, self.nonce)}
        )
        proved = {}
        if self.identity is not None:
            proved = {
                "client_assertion_type": ASSERTION,
                "client_assertion": assertion(self.id, self.token_address, self.identity),
            }
        return self.call().post("/token", data={**proved, **form}, headers=headers)

    def exchanged(self, code: str, **form: str) -> httpx.Response:
        """Exchange a code."""
        return self.token(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": BACK,
                "code_verifier": self.verifier,
                **form,
            }
        )

    def launched(self, actor: Actor, scope: str, **said: str) -> dict[str, Any]:
        """Do all of it; give the answer of the token endpoint."""
        answer = self.exchanged(self.code(actor, scope, **said))
        assert answer.status_code == 200, answer.text
        issued: dict[str, Any] = answer.json()
        return issued

    def fhir(self, token: str, method: str, path: str, **given: Any) -> httpx.Response:
        """Ask FHIR with a token, and a proof where it is bound to a key."""
        address = f"{self.server.address}/fhir/{path}"
        headers = {"content-type": FHIR, **given.pop("headers", {})}
        if self.key is None:
            headers["authorization"] = f"Bearer {token}"
            return self.call().request(method, address, headers=headers, **given)
        answer: httpx.Response | None = None
        for _ in range(2):
            made = proof(self.key, method, address.partition("?")[0], self.nonce, token)
            sent = {**headers, "authorization": f"DPoP {token}", "dpop": made}
            answer = self.call().request(method, address, headers=sent, **given)
            if "dpop-nonce" not in answer.headers:
                return answer
            self.nonce = answer.headers["dpop-nonce"]
        assert answer is not None
        return answer


def form_of(shown: httpx.Response, without: str = "") -> dict[str, str]:
    """Read the form of the page, every box ticked but those whose label says `without`."""
    assert shown.status_code == 200, shown.text
    hidden = re.findall(r'<input type="hidden" name="(csrf|request)" value="([^"]*)"', shown.text)
    boxes = re.findall(r'type="checkbox" id="(s\d+)".*?<label[^>]*>(.*?)</label>', shown.text)
    named = re.findall(r'<input id="patient" name="patient" value="([^"]+)"', shown.text)
    hidden += [("patient", value) for value in named]
    ticked = {name: "on" for name, said in boxes if not without or without not in html.unescape(said)}
    return {**{name: html.unescape(value) for name, value in hidden}, **ticked}


def brought_back(answer: httpx.Response) -> dict[str, str]:
    """Read what a browser brings back to the registered address."""
    where = urlsplit(answer.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == BACK
    return dict(parse_qsl(where.query))


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Give the status and the code of a refusal of OAuth."""
    return answer.status_code, answer.json()["error"]


__all__ = ["BACK", "BACKEND", "PUBLIC", "Program"]
