"""An identity provider for demonstrations: it lists the demo's people, and whoever is clicked on comes in.

A true OpenID provider on a port of its own: code with PKCE S256, one client for each realm, ID tokens in
RS256 or ES256, published keys, UserInfo. The realm `psc` speaks Pro Santé Connect's claims. It asks for no
password, so it starts for a demonstration only; nothing of it is part of an installation.

Order: the nouns, what Pro Santé Connect would say of somebody, the provider, its answers over HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Final, Self
from urllib.parse import parse_qs, unquote_plus, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from serment.app import StoreKind
from serment.demo.people import Person, of
from serment.errors import RefusedError
from serment.model import ActorKind, Function
from serment.people.providers import PSC_SCOPE, Kind, Provider
from serment.words import Language, say

CODE_S: Final = 60
TOKEN_S: Final = 300
CLIENT: Final = "serment-demo"
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
_KEPT: Final = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values"),
    *("code_challenge", "code_challenge_method"),
)

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody to click on: their subject, the words of the link, what UserInfo says beside the subject."""

    subject: str = field(repr=False)
    label: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False, default_factory=dict)


@dataclass(slots=True)
class Realm:
    """One issuer: who comes in by it, at which level, signed how, and the secret of its one client."""

    name: str
    visitors: Sequence[Visitor] = field(repr=False)
    acr: str = "eidas2"
    algorithm: str = "RS256"
    scope: str = "openid"
    redirects: set[str] = field(default_factory=set)
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a code or an access token stands for. `over` is in seconds since 1970."""

    realm: str
    subject: str = field(repr=False)
    over: float
    redirect: str = ""
    nonce: str = field(default="", repr=False)
    challenge: str = field(default="", repr=False)
    acr: str = ""


def subject_of(person: Person) -> str:
    """Give the subject of a professional as Pro Santé Connect forms it: its realm, then the IDNPS."""
    return f"f:5e12e7a0-0000-4000-8000-00000000de30:8{person.rpps}"


def psc_claims(person: Person, structures: Sequence[str] = ()) -> Claims:
    """Say of a professional what Pro Santé Connect would, for each structure (their own at least)."""
    places = structures or (person.structure,)
    category = "E" if person.function is Function.TRAINEE else "C"
    activities = [
        {
            "codeModeExercice": "S" if of(place).kind == "dept" else "L",
            "codeSecteurDactivite": "SA01" if of(place).kind == "dept" else "SA07",
            "numeroFinessSite": of(place).finess,
            "raisonSocialeSite": of(place).name,
        }
        for place in places
    ]
    return {
        "preferred_username": f"8{person.rpps}",
        "given_name": person.given.upper(),
        "family_name": person.family.upper(),
        "email_verified": False,
        "SubjectNameID": f"8{person.rpps}",
        "SubjectRole": [f"{person.profession}^1.2.250.1.213.1.1.5.5"],
        "Secteur_Activite": f"{activities[0]['codeSecteurDactivite']}^1.2.250.1.71.4.2.4",
        "SubjectOrganization": activities[0]["raisonSocialeSite"],
        "SubjectOrganizationID": f"1{activities[0]['numeroFinessSite']}",
        "Mode_Acces_Raison": "",
        "Acces_Regulation_Medicale": "VRAI" if person.function is Function.REGULATING_DOCTOR else "FAUX",
        "Palier_Authentification": "APPPRIP3^1.2.250.1.213.1.5.1.1.1",
        "UITVersion": "1.0",
        "PSI_Locale": "1.2.250.1.213.1.3.1.1",
        "SubjectRefPro": {
            "codeCivilite": "",
            "exercices": [
                {
                    "codeProfession": person.profession,
                    "codeCategorieProfessionnelle": category,
                    "codeCiviliteDexercice": "DR" if person.title else "",
                    "nomDexercice": person.family.upper(),
                    "prenomDexercice": person.given.upper(),
                    "codeTypeSavoirFaire": "",
                    "codeSavoirFaire": "",
                    "activities": activities,
                }
            ],
        },
    }


def psc_visitor(person: Person, structures: Sequence[str] = ()) -> Visitor:
    """Make a professional one to click on."""
    if person.kind is not ActorKind.PROFESSIONAL:
        raise ValueError("Pro Santé Connect knows professionals")
    label = f"{person.name} · {person.speciality}"
    return Visitor(subject_of(person), label, psc_claims(person, structures))


class IdentityProvider:
    """The provider: its realms, what it has granted, its keys. A context manager: it listens within."""

    def __init__(self, kind: StoreKind, realms: Sequence[Realm], port: int = 0) -> None:
        """Take a free port of this machine. Raises `RefusedError` for a store of production."""
        if kind is not StoreKind.DEMO:
            raise RefusedError("record.demo-only")
        self.realms = {realm.name: realm for realm in realms}
        self.granted: dict[str, _Granted] = {}
        self.keys: dict[str, RSAKey | ECKey] = {}
        self.rotate()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._lock = threading.Lock()
        config = uvicorn.Config(
            self.application(), log_level="warning", access_log=False, server_header=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    @property
    def base(self) -> str:
        """Give the address below which the realms are."""
        return f"http://localhost:{self._listener.getsockname()[1]}"

    def issuer(self, realm: str) -> str:
        """Give the issuer of a realm."""
        return f"{self.base}/{realm}"

    def described(self, realm: str, kind: Kind, label: str, base: str) -> Provider:
        """Describe a realm as the operator would register it, and let it send browsers back to `base`."""
        one = self.realms[realm]
        one.redirects.add(f"{base}/openid/{realm}/return")
        scope = PSC_SCOPE if kind is Kind.PSC else one.scope
        return Provider(
            realm,
            kind.value,
            label,
            self.issuer(realm),
            CLIENT,
            one.secret,
            "FR",
            (one.acr,),
            (one.algorithm,),
            scope,
            private=True,
        )

    def rotate(self) -> None:
        """Make new keys; what the old ones signed is worth nothing any more."""
        number = secrets.token_hex(4)
        self.keys = {
            "RS256": RSAKey.generate_key(2048, {"kid": f"rsa-{number}", "use": "sig", "alg": "RS256"}),
            "ES256": ECKey.generate_key("P-256", {"kid": f"ec-{number}", "use": "sig", "alg": "ES256"}),
        }

    def published(self) -> list[Claims]:
        """Give the public halves of the keys (RFC 7517)."""
        return [dict(key.as_dict(private=False)) for key in self.keys.values()]

    def code(self, realm: str, subject: str, asked: Mapping[str, str]) -> str:
        """Grant a code to somebody who was clicked on."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self.granted[code] = _Granted(
                realm,
                subject,
                time.time() + CODE_S,
                asked["redirect_uri"],
                asked.get("nonce", ""),
                asked.get("code_challenge", ""),
                asked.get("acr_values", "").split(" ")[0] or self.realms[realm].acr,
            )
        return code

    def spent(self, code: str) -> _Granted | None:
        """Take a grant away and give it; None when it is over or never was."""
        with self._lock:
            granted = self.granted.pop(code, None)
        return granted if granted is not None and granted.over > time.time() else None

    def tokens(self, realm: Realm, granted: _Granted) -> Claims:
        """Answer a code with an ID token and an access token for UserInfo."""
        access = secrets.token_urlsafe(24)
        with self._lock:
            self.granted[access] = _Granted(realm.name, granted.subject, time.time() + TOKEN_S)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_S,
            "id_token": self.id_token(realm, self.said(realm, granted, access)),
        }

    def said(self, realm: Realm, granted: _Granted, access: str) -> Claims:
        """Say what an ID token says (OpenID Connect Core 1.0 section 2)."""
        now = int(time.time())
        digest = hashlib.sha256(access.encode()).digest()
        return {
            "iss": self.issuer(realm.name),
            "sub": granted.subject,
            "aud": CLIENT,
            "azp": CLIENT,
            "iat": now,
            "exp": now + TOKEN_S,
            "auth_time": now,
            "nonce": granted.nonce,
            "acr": granted.acr,
            "at_hash": base64.urlsafe_b64encode(digest[:16]).decode().rstrip("="),
        }

    def id_token(self, realm: Realm, claims: Claims, kind: str = "JWT") -> str:
        """Sign a token with the key of a realm; `kind` is its `typ`."""
        key = self.keys[realm.algorithm]
        header = {"alg": realm.algorithm, "kid": key.kid, "typ": kind}
        return jwt.encode(header, claims, key, algorithms=[realm.algorithm])

    def application(self) -> Starlette:
        """Build the provider's own doors."""
        ways = _Ways(self)
        return Starlette(
            routes=[
                Route("/{realm}/.well-known/openid-configuration", ways.describe, methods=["GET"]),
                Route("/{realm}/authorize", ways.authorize, methods=["GET"]),
                Route("/{realm}/token", ways.token, methods=["POST"]),
                Route("/{realm}/userinfo", ways.userinfo, methods=["GET"]),
                Route("/{realm}/keys", ways.keys, methods=["GET"]),
            ]
        )


class _Ways:
    """The answers over HTTP."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    async def describe(self, request: Request) -> Response:
        """Describe a realm (OpenID Connect Discovery 1.0)."""
        realm = self._realm(request)
        issuer = self._provider.issuer(realm.name)
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "jwks_uri": f"{issuer}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [realm.algorithm],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "authorization_response_iss_parameter_supported": True,
                "acr_values_supported": [realm.acr],
            }
        )

    async def keys(self, request: Request) -> Response:
        """Publish the keys."""
        self._realm(request)
        return JSONResponse({"keys": self._provider.published()})

    async def authorize(self, request: Request) -> Response:
        """List the people to click on; send back whoever was clicked on, with a code."""
        realm, asked = self._realm(request), {name: request.query_params.get(name, "") for name in _KEPT}
        if asked["client_id"] != CLIENT or asked["redirect_uri"] not in realm.redirects:
            return JSONResponse({"error": "invalid_request"}, 400)
        answer = {"state": asked["state"], "iss": self._provider.issuer(realm.name)}
        if (
            asked["response_type"] != "code"
            or asked["code_challenge_method"] != "S256"
            or not asked["code_challenge"]
        ):
            return _sent(asked["redirect_uri"], {"error": "invalid_request", **answer})
        who = request.query_params.get("as")
        if who is None:
            return HTMLResponse(_page(realm, asked), headers=_HEADERS)
        if who not in {one.subject for one in realm.visitors}:
            return _sent(asked["redirect_uri"], {"error": "access_denied", **answer})
        return _sent(asked["redirect_uri"], {"code": self._provider.code(realm.name, who, asked), **answer})

    async def token(self, request: Request) -> Response:
        """Exchange a code (RFC 6749 section 4.1.3, RFC 7636 section 4.6)."""
        realm = self._realm(request)
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        if not _is_client(request, realm):
            return JSONResponse({"error": "invalid_client"}, 401)
        granted = self._provider.spent(given.get("code", ""))
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        held = (realm.name, given.get("redirect_uri", ""), challenge)
        if granted is None or (granted.realm, granted.redirect, granted.challenge) != held:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse(self._provider.tokens(realm, granted))

    async def userinfo(self, request: Request) -> Response:
        """Say who it is."""
        realm = self._realm(request)
        secret = request.headers.get("authorization", "").removeprefix("Bearer ")
        granted = self._provider.granted.get(secret)
        if granted is None or granted.realm != realm.name or granted.over <= time.time():
            return JSONResponse({"error": "invalid_token"}, 401)
        one = next(one for one in realm.visitors if one.subject == granted.subject)
        return JSONResponse({"sub": one.subject, **one.claims})

    def _realm(self, request: Request) -> Realm:
        realm = self._provider.realms.get(request.path_params["realm"])
        if realm is None:
            raise HTTPException(404)
        return realm


def _sent(redirect: str, answer: Mapping[str, str]) -> Response:
    return RedirectResponse(f"{redirect}?{urlencode(answer)}", 303, _HEADERS)


def _is_client(request: Request, realm: Realm) -> bool:
    scheme, _, pair = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(pair, validate=True).decode().partition(":")
    except ValueError:
        return False
    held = (unquote_plus(name) == CLIENT, hmac.compare_digest(unquote_plus(secret), realm.secret))
    return scheme == "Basic" and all(held)


def _page(realm: Realm, asked: Mapping[str, str]) -> str:
    links = "".join(
        f'<li><a href="?{escape(urlencode({**asked, "as": one.subject}))}">{escape(one.label)}</a></li>'
        for one in realm.visitors
    )
    title = escape(say("demo.provider-title", Language.FR))
    note = escape(say("demo.provider-note", Language.FR))
    head = f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title></head>'
    return f"{head}<body><h1>{title}</h1><p>{note}</p><ul>{links}</ul></body></html>"
