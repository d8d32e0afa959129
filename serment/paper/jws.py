"""A sealed resource: a detached JWS over FHIR's canonical JSON (R4, Signature; RFC 7515, appendix F).

The canonical text is that of `http://hl7.org/fhir/canonicalization/json#static`: no `meta`, no narrative,
members in the order of their names, no white space; numbers keep every digit that was written. The protected
header carries the act that sealed it and the state of the ledger, so that neither can be moved elsewhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey

from serment.errors import SermentError
from serment.fhir import document
from serment.paper.seal import Seal, Verdict, of_id

ALGORITHM: Final = "ES256"
CANONICAL: Final = "http://hl7.org/fhir/canonicalization/json#static"
_LEFT_OUT: Final = ("meta", "text")
_REGISTRY: Final = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)


@dataclass(frozen=True, slots=True)
class Act:
    """What a seal is tied to: the number of the act, its instant (ms), the signed state of the ledger."""

    number: str
    at: int
    origin: str
    size: int

    @property
    def said(self) -> dict[str, object]:
        """Give it as members of a protected header."""
        return {"iat": self.at // 1000, "act": self.number, "ledger": self.origin, "ledgerSize": self.size}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found; `header` is what was sealed with the resource, empty unless it is `SEALED`."""

    verdict: Verdict
    header: Mapping[str, object] = field(default_factory=dict, repr=False)


def canonical(body: bytes) -> bytes:
    """Write a resource in canonical JSON. Raises `MalformedError`, `TooLargeError`."""
    value = document.read(body).value
    kept = {name: one for name, one in value.items() if name not in _LEFT_OUT}
    return _text(kept).encode()


def sealed(body: bytes, seal: Seal, act: Act) -> str:
    """Seal a resource: give a JWS whose payload is left out. Raises `MalformedError`."""
    header = {"alg": ALGORITHM, "kid": seal.id, "typ": "JOSE", "canon": CANONICAL, **act.said}
    key = ECKey.import_key(seal.private)
    whole = jws.serialize_compact(header, canonical(body), key, registry=_REGISTRY)
    head, _, signature = whole.split(".")
    return f"{head}..{signature}"


def check(text: str, body: bytes, seals: Collection[Seal]) -> Checked:
    """Check a detached JWS against the resource as it stands. Never raises."""
    parts = text.split(".")
    if len(parts) != 3 or parts[1]:
        return Checked(Verdict.UNREADABLE)
    try:
        payload = canonical(body)
        header = jws.extract_compact(f"{parts[0]}..{parts[2]}".encode()).headers()
        seal = of_id(seals, str(header.get("kid", "")))
        if seal is None:
            return Checked(Verdict.OTHER_KEY)
        whole = f"{parts[0]}.{_base64url(payload)}.{parts[2]}"
        found = jws.deserialize_compact(whole, ECKey.import_key(seal.public), registry=_REGISTRY)
    except BadSignatureError:
        return Checked(Verdict.ALTERED)
    except (JoseError, SermentError, ValueError):
        return Checked(Verdict.UNREADABLE)
    return Checked(Verdict.SEALED, found.headers())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _text(value: Any) -> str:
    """Write a value as JSON: members by code point of their names, decimals with the digits they had."""
    if isinstance(value, dict):
        members = ",".join(f"{_text(name)}:{_text(value[name])}" for name in sorted(value))
        return f"{{{members}}}"
    if isinstance(value, list):
        return f"[{','.join(_text(one) for one in value)}]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
