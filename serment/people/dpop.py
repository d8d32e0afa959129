"""Proof of possession: a token is worth nothing without the key that it is bound to (RFC 9449).

A proof is for one method at one address, now, once, with our nonce and, beside a token, with its hash. A
nonce is made by one server process and known to it alone: a proof that another process has seen fails there,
so that what was used once is remembered in memory, not written at each request. The nonce of a process that
has ended ends with it: the client is told the next one and tries again.

Order: what a proof says (pure), the nonces and the proofs met of one process.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections import OrderedDict
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from serment.errors import PossessionError, SignInError, TooManyError
from serment.model import Instant
from serment.people.id_token import Claims, header_of, imported, object_of

ALGORITHMS: Final = ("ES256", "ES384", "RS256", "RS384", "PS256")
FRESH_S: Final = 60
"""Seconds by which the instant of a proof may differ from ours."""
NONCE_MS: Final = 2 * 60 * 1000
"""A nonce is given out for so long, and taken for as long again."""
MOST_MET: Final = 100_000
MOST_JTI: Final = 128

_HEADER: Final = frozenset({"typ", "alg", "jwk"})
_PUBLIC: Final = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384"}


class Proof(NamedTuple):
    """What a proof says once its signature holds: the key's thumbprint (RFC 7638), its name, its nonce."""

    key: str
    jti: str
    nonce: str


def verified(text: str, method: str, address: str, now: Instant, token: str = "") -> Proof:
    """Give what a proof says, made for this method and address a moment ago. Raises `PossessionError`.

    With `token`, for that token. The nonce and that it counts once are `Proofs.take`'s to hold.
    """
    try:
        header = header_of(text)
        key = _key(header)
        claims = _signed(text, header, key)
    except (SignInError, JoseError, ValueError, TypeError, KeyError):
        raise refused() from None
    meant = claims.get("htm") == method and _same(claims.get("htu"), address) and _now(claims, now)
    if not meant or (token and not hmac.compare_digest(str(claims.get("ath", "")), hash_of(token))):
        raise refused()
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MOST_JTI:
        raise refused()
    return Proof(thumbprint(key), jti, str(claims.get("nonce", "")))


def refused() -> PossessionError:
    """Refuse a proof, without saying what was wrong with it."""
    return PossessionError("oauth.proof")


def hash_of(text: str) -> str:
    """Give the SHA-256 of a text in base64url: `ath` of a token, S256 of a code verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(sha256(text.encode("ascii", "replace")).digest()).decode().rstrip("=")


def thumbprint(key: Claims) -> str:
    """Give the thumbprint of a public key: SHA-256 over its members in order (RFC 7638 section 3)."""
    members = ",".join(f'"{name}":"{key[name]}"' for name in _PUBLIC[str(key["kty"])])
    return hash_of("{" + members + "}")


def _key(header: Claims) -> Claims:
    """Read the public key in the header of a proof. Raises `PossessionError`."""
    key = header.get("jwk")
    if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS or set(header) - _HEADER:
        raise refused()
    if not isinstance(key, dict) or key.get("kty") not in _PUBLIC or "d" in key:
        raise refused()
    if str(header["alg"])[:2] == "ES":
        fits = key["kty"] == "EC" and key.get("crv") == _CURVES[str(header["alg"])]
    else:
        fits = key["kty"] == "RSA"
    if not fits or not all(isinstance(key.get(name), str) for name in _PUBLIC[key["kty"]]):
        raise refused()
    return {name: key[name] for name in _PUBLIC[key["kty"]]}


def _signed(text: str, header: Claims, key: Claims) -> Claims:
    jws.deserialize_compact(text, _made(tuple(key.items())), algorithms=[str(header["alg"])])
    return object_of(text.split(".")[1])


@lru_cache(maxsize=1024)
def _made(members: tuple[tuple[str, str], ...]) -> RSAKey | ECKey:
    """Make a key of its public members; the same program shows the same one at each request."""
    return imported(dict(members))


def _now(claims: Claims, now: Instant) -> bool:
    made = claims.get("iat")
    return isinstance(made, int) and not isinstance(made, bool) and abs(now // 1000 - made) <= FRESH_S


def _same(said: object, address: str) -> bool:
    """Compare addresses without query and fragment (RFC 9449 section 4.3, RFC 3986 section 6.2)."""
    return isinstance(said, str) and _plain(said) == _plain(address)


def _plain(address: str) -> tuple[Any, ...]:
    try:
        parts = urlsplit(address)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return (address,)
    return parts.scheme.lower(), (parts.hostname or "").lower(), port, parts.path or "/"


class Proofs:
    """The nonces that this process gives, and the proofs that it has met. Calls may come from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._nonces: list[tuple[str, int]] = []
        self._met: OrderedDict[tuple[str, str], int] = OrderedDict()

    def nonce(self, now: Instant) -> str:
        """Give the nonce for the next proofs."""
        with self._lock:
            if not self._nonces or not 0 <= now - self._nonces[-1][1] < NONCE_MS:
                self._nonces = [*self._nonces[-1:], (secrets.token_urlsafe(16), now)]
            return self._nonces[-1][0]

    def check_nonce(self, proof: Proof, now: Instant) -> None:
        """Refuse a proof without a nonce of ours. Raises `PossessionError`, with the next one."""
        current = self.nonce(now)
        with self._lock:
            known = [name for name, made in self._nonces if abs(now - made) < 2 * NONCE_MS]
        if proof.nonce not in known:
            raise PossessionError("oauth.nonce", nonce=current)

    def take(self, proof: Proof, now: Instant) -> None:
        """Take a proof, once. Raises `PossessionError`: met before, or without a nonce of ours."""
        self.check_nonce(proof, now)
        with self._lock:
            self._forget(now)
            if (proof.key, proof.jti) in self._met:
                raise refused()
            if len(self._met) >= MOST_MET:
                raise TooManyError("oauth.too-many", seconds=60)
            self._met[proof.key, proof.jti] = now

    def _forget(self, now: Instant) -> None:
        """Forget the proofs that are too old to be taken again."""
        while self._met:
            first = next(iter(self._met))
            if 0 <= now - self._met[first] <= 4 * FRESH_S * 1000:
                return
            del self._met[first]
