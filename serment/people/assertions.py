"""A program that proves who it is by a signed assertion (RFC 7523; SMART Backend Services 2.2; pure).

`private_key_jwt` is the only proof: no secret is shared. Signed by a registered key with RS384 or ES384, made
for the token endpoint and nobody else, for five minutes at most. That it counts once is its caller's to hold:
its `jti` is given back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from serment.errors import OAuthError, SignInError
from serment.model import Instant
from serment.people.id_token import Claims, header_of, key_for, object_of

ALGORITHMS: Final = ("RS384", "ES384")
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST_S: Final = 300
SKEW_S: Final = 30
"""Seconds by which the program's clock may be ahead of ours or behind it."""
MOST_JTI: Final = 255

_HEADER: Final = frozenset({"alg", "kid", "typ"})
"""Members of the header. The keys are the registered ones: no `jku`, `jwk`, `x5c`, and no `crit`."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What an assertion says once its signature holds: of which client, and the name that it bears alone."""

    client: str
    jti: str = field(repr=False)
    until: Instant


def claimed(text: str) -> str:
    """Name the client that an assertion says it is of, before anything is verified. Raises `OAuthError`."""
    try:
        subject = object_of(_parts(text)[1]).get("sub")
    except SignInError:
        raise refused() from None
    if not isinstance(subject, str) or not subject:
        raise refused()
    return subject


def verified(
    text: str, client: str, keys: Sequence[Mapping[str, Any]], audience: str, now: Instant
) -> Assertion:
    """Give what an assertion says, signed by one of a client's keys, for us, now. Raises `OAuthError`."""
    try:
        header = header_of(text)
        claims = _signed(text, header, keys)
    except (SignInError, JoseError, ValueError, TypeError):
        raise refused() from None
    seconds = now // 1000
    jti, exp = claims.get("jti"), claims.get("exp")
    by_itself = claims.get("iss") == claims.get("sub") == client
    alone = claims.get("aud") in (audience, [audience])
    if not (by_itself and alone and _named(jti) and _lasts(claims, seconds)):
        raise refused()
    return Assertion(client, str(jti), Instant((int(str(exp)) + SKEW_S) * 1000))


def refused() -> OAuthError:
    """Refuse an assertion, without saying what was wrong with it."""
    return OAuthError("oauth.client", "invalid_client", status=401)


def _parts(text: str) -> list[str]:
    header_of(text)
    return text.split(".")


def _signed(text: str, header: Claims, keys: Sequence[Mapping[str, Any]]) -> Claims:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or set(header) - _HEADER:
        raise refused()
    key = key_for(keys, header.get("kid"), algorithm)
    jws.deserialize_compact(text, key, algorithms=[algorithm])
    return object_of(text.split(".")[1])


def _named(jti: object) -> bool:
    return isinstance(jti, str) and 0 < len(jti) <= MOST_JTI


def _lasts(claims: Claims, seconds: int) -> bool:
    """Say whether it is in force: it ends within five minutes, and is not dated later than now."""
    exp, begun = claims.get("exp"), [claims[name] for name in ("iat", "nbf") if name in claims]
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in (exp, *begun))
    return (
        whole
        and isinstance(exp, int)
        and seconds - SKEW_S < exp <= seconds + LONGEST_S + SKEW_S
        and all(one <= seconds + SKEW_S for one in begun)
    )
