"""An ID token, verified (OpenID Connect Core 1.0 section 3.1.3.7; RFC 7515, 7519, 8725).

In order: strict base64url, a header of known members, an algorithm that was pinned for this issuer, one key
that fits it, the signature, then the claims. The token says nothing about its own key: `jwk`, `jku`, `x5u`
and the like are refused, and so is whatever must be understood (`crit`). A key of the wrong family, too
short or private is none.

Pure: keys and the time are passed in. Order of the code: the verification, its steps.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from serment.errors import SignInError
from serment.model import Instant
from serment.people.providers import Provider

SKEW_S: Final = 60
"""Seconds by which two clocks may differ."""
OLDEST_S: Final = 600
"""Seconds since a token was made, at most: one that was kept is no sign-in of now."""
MOST: Final = 16 * 1024
LEAST_RSA_BITS: Final = 2048
MOST_SUBJECT: Final = 255

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADER = frozenset({"alg", "kid", "typ", "cty", "x5t", "x5t#S256"})

ID_TOKEN: Final = frozenset({"", "jwt"})
"""What `typ` of an ID token may say: nothing asks for one (RFC 8725 section 3.11)."""
LOGOUT_TOKEN: Final = frozenset({"logout+jwt"})
"""What `typ` of a logout token must say (OpenID Connect Back-Channel Logout 1.0 section 2.4)."""
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

_PUBLIC: Final[tuple[str, ...]] = ("kty", "n", "e", "crv", "x", "y")

Claims = dict[str, Any]


def verified(
    text: str,
    keys: Sequence[Mapping[str, Any]],
    provider: Provider,
    now: Instant,
    *,
    nonce: str = "",
    access_token: str = "",
) -> Claims:
    """Give the claims of an ID token that was made for us, now, for this very sign-in.

    Raises `SignInError`, which does not say what failed.
    """
    claims = signed(text, keys, provider, ID_TOKEN)
    options = {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "value": provider.client},
        "acr": {"essential": True, "values": list(provider.acr)},
    }
    params = {"nonce": nonce, "client_id": provider.client, "access_token": access_token}
    seconds = now // 1000
    try:
        checking = CodeIDToken(claims, header_of(text), options, params)
        checking.validate(seconds, SKEW_S)
    except (JoseError, ValueError, TypeError):
        raise _refused() from None
    # The library takes a list where one value is meant: what must be one value is held again, as it stands.
    exactly = claims["iss"] == provider.issuer and claims["acr"] in provider.acr
    ours = exactly and claims["nonce"] == nonce and for_us(claims, provider)
    if not nonce or not ours or not of_now(claims, seconds):
        raise _refused()
    return claims


def signed(text: str, keys: Sequence[Mapping[str, Any]], provider: Provider, kinds: frozenset[str]) -> Claims:
    """Give the claims of a token of these kinds that the provider signed. Raises as `verified` does."""
    header = header_of(text)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in provider.algorithms or set(header) - _HEADER:
        raise _refused()
    if str(header.get("typ", "")).lower().removeprefix("application/") not in kinds:
        raise _refused()
    key = key_for(keys, header.get("kid"), algorithm)
    try:
        jws.deserialize_compact(text, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        raise _refused() from None
    return object_of(text.split(".")[1])


def has_key(text: str, keys: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether these keys may hold the one that a token names; if not, they may have changed since.

    Raises `SignInError` for what is no token.
    """
    header = header_of(text)
    return any(_fits(key, str(header.get("alg"))) and key.get("kid") == header.get("kid") for key in keys)


def header_of(text: str) -> Claims:
    """Read the header of a compact token written as RFC 7515 asks. Raises `SignInError`."""
    if len(text) > MOST or not _COMPACT.fullmatch(text):
        raise _refused()
    parts = text.split(".")
    for part in parts:
        bytes_of(part)
    return object_of(parts[0])


def bytes_of(part: str) -> bytes:
    """Decode base64url as RFC 7515 section 2 writes it: no padding, no stray bit. Raises `SignInError`.

    The library takes padding and stray bits (Wycheproof 367, 370): two spellings of one token.
    """
    try:
        found = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise _refused() from None
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part.encode():
        raise _refused()
    return found


def object_of(part: str) -> Claims:
    """Read a JSON object in which no member stands twice. Raises `SignInError`."""
    try:
        found = json.loads(bytes_of(part), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise _refused() from None
    if not isinstance(found, dict):
        raise _refused()
    return found


def _once(pairs: list[tuple[str, Any]]) -> Claims:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member twice")
    return found


def key_for(keys: Sequence[Mapping[str, Any]], kid: object, algorithm: str) -> RSAKey | ECKey:
    """Choose the one key that the token names, or the only one that fits. Raises `SignInError`."""
    fitting = [key for key in keys if _fits(key, algorithm) and (kid is None or key.get("kid") == kid)]
    if len(fitting) != 1:
        raise _refused()
    try:
        return imported(dict(fitting[0]))
    except (JoseError, ValueError, TypeError, KeyError):
        raise _refused() from None


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    """Say whether a published key may have made such a signature (RFC 7517 sections 4.1 to 4.4)."""
    if key.get("use", "sig") != "sig" or key.get("alg", algorithm) != algorithm or "d" in key:
        return False
    if algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[algorithm]
    return key.get("kty") == "RSA"


def imported(key: Claims) -> RSAKey | ECKey:
    """Make a key of its public members. Raises `ValueError` for an RSA key that is too short."""
    public: dict[str, str | list[str]] = {name: str(key[name]) for name in _PUBLIC if name in key}
    if key["kty"] == "EC":
        return ECKey.import_key(public)
    if len(bytes_of(str(key["n"])).lstrip(b"\0")) * 8 < LEAST_RSA_BITS:
        raise ValueError("too short")
    return RSAKey.import_key(public)


def of_now(claims: Claims, seconds: int) -> bool:
    """Say whether a token was made a moment ago and is not over; `seconds` since 1970."""
    times = [claims.get(name) for name in ("iat", "exp")]
    if not all(isinstance(one, int) and not isinstance(one, bool) for one in times):
        return False
    made = seconds - OLDEST_S <= claims["iat"] <= seconds + SKEW_S
    return made and bool(seconds - SKEW_S < claims["exp"])


def proved_since(claims: Claims, seconds: int) -> bool:
    """Say whether the provider says that the person proved who they are since an instant."""
    return proved_at(claims) >= seconds - SKEW_S


def proved_at(claims: Claims) -> int:
    """Say when the person proved who they are, in seconds since 1970; 0 where the provider does not say."""
    proved = claims.get("auth_time")
    return proved if isinstance(proved, int) and not isinstance(proved, bool) else 0


def for_us(claims: Claims, provider: Provider) -> bool:
    """Say whether a token is for us alone, about somebody."""
    subject = claims.get("sub")
    alone = claims.get("aud") in (provider.client, [provider.client])
    return alone and isinstance(subject, str) and 0 < len(subject) <= MOST_SUBJECT


def _refused() -> SignInError:
    return SignInError("people.openid-refused")
