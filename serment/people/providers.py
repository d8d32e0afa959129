"""Identity providers: each registered by the operator, by name, with its country; nobody else is asked.

Three kinds. `psc` is Pro Santé Connect, or speaks its claims: a professional is known by RPPS. `patient` and
`site` (a hospital's own) know people by a subject that an invitation bound to one account: never by name.
Every call goes to the issuer's own address (scheme, host, port); the browser is sent to that same address
or to the one other that was registered (`wallet`). What an `acr` is worth is the operator's word: only
values that stand for two factors are registered.

Order: the nouns and what Pro Santé Connect publishes (pure), what may be registered (pure), the drawer.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from serment.errors import ConflictError, IntegrityError, NotFoundError, RequestError
from serment.model import ActorKind
from serment.record.asking import Asking
from serment.record.registry import Registry
from serment.record.subscriptions import addresses

DRAWER: Final = "provider"

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""What an ID token may be signed with (RFC 7518): a key that is public cannot have made it."""
MOST_TEXT: Final = 200
_RESERVED: Final = frozenset({"choose", "go-on"})
"""Names that are words of our own addresses below `/openid`."""


class Kind(StrEnum):
    """How a provider knows people, and whom it may let in."""

    PSC = "psc"
    PATIENT = "patient"
    SITE = "site"


LETS_IN: Final = {
    Kind.PSC: frozenset({ActorKind.PROFESSIONAL}),
    Kind.PATIENT: frozenset({ActorKind.PATIENT, ActorKind.PROXY}),
    Kind.SITE: frozenset(ActorKind) - {ActorKind.PATIENT, ActorKind.PROXY, ActorKind.SERVICE},
}


class Provider(msgspec.Struct, frozen=True, omit_defaults=True):
    """One provider. `acr` are the values accepted, the first one is asked for; `wallet` an origin or "".

    `discovery` is the name of the document below `/.well-known/`; `secret` is the client's own.
    """

    name: str
    kind: str
    label: str
    issuer: str
    client: str
    secret: str
    country: str
    acr: tuple[str, ...]
    algorithms: tuple[str, ...] = ("RS256",)
    scope: str = "openid"
    discovery: str = "openid-configuration"
    wallet: str = ""
    basis: str = ""
    private: bool = False

    @property
    def lets_in(self) -> frozenset[ActorKind]:
        """Say which kinds of people may come in by it."""
        return LETS_IN[Kind(self.kind)]

    @property
    def origin(self) -> str:
        """Give the one origin that is ever called."""
        return origin_of(self.issuer)

    @property
    def browser_origins(self) -> frozenset[str]:
        """Give the origins to which a browser may be sent."""
        return frozenset({self.origin, self.wallet or self.origin})

    def __repr__(self) -> str:
        return f"Provider({self.name}, {self.kind})"


class ProviderChoice(msgspec.Struct, frozen=True):
    """What the sign-in page shows of a provider: its name in the address, the words on its button."""

    name: str
    kind: str
    label: str


PSC_LABEL: Final = "Pro Santé Connect"
PSC_ISSUERS: Final = {
    "production": (
        "https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet",
        "https://wallet.esw.esante.gouv.fr",
    ),
    "sandbox": (
        "https://auth.bas.psc.esante.gouv.fr/auth/realms/esante-wallet",
        "https://wallet.bas.psc.esante.gouv.fr",
    ),
}
"""Issuer, and the origin of the page to which the browser is sent (rules D, of 2023: check before use)."""
PSC_DISCOVERY: Final = "wallet-openid-configuration"
PSC_SCOPE: Final = "openid scope_all"
PSC_ACR: Final = ("eidas1", "eidas2", "eidas3")
"""Pro Santé Connect asks for card or e-CPS, two factors, at its lowest level already."""


def pro_sante_connect(name: str, client: str, secret: str, place: str = "production") -> Provider:
    """Describe Pro Santé Connect as it is published. Raises `RequestError` for a place that is none."""
    if place not in PSC_ISSUERS:
        raise RequestError("people.provider-place")
    issuer, wallet = PSC_ISSUERS[place]
    return Provider(
        name,
        Kind.PSC.value,
        PSC_LABEL,
        issuer,
        client,
        secret,
        "FR",
        PSC_ACR,
        scope=PSC_SCOPE,
        discovery=PSC_DISCOVERY,
        wallet=wallet,
    )


def origin_of(url: str) -> str:
    """Give the origin of an address (RFC 6454): scheme, host, port."""
    parts = urlsplit(url)
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    port = parts.port
    end = "" if port in {None, standard} else f":{port}"
    host = (parts.hostname or "").lower()
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{end}"


def checked(provider: Provider) -> Provider:
    """Refuse what is no provider of ours. Raises `RequestError`."""
    addresses.checked(
        provider.name, provider.issuer, provider.country, provider.basis, private=provider.private
    )
    if provider.name in _RESERVED:
        raise RequestError("subscribing.address-name")
    if provider.wallet and (origin_of(provider.wallet) != provider.wallet or not _same_guard(provider)):
        raise RequestError("people.provider-wallet")
    if provider.kind not in set(Kind):
        raise RequestError("people.provider-kind", kinds=", ".join(Kind))
    if not provider.algorithms or not set(provider.algorithms) <= set(ALGORITHMS):
        raise RequestError("people.provider-algorithm", algorithms=", ".join(ALGORITHMS))
    if not provider.acr or "openid" not in provider.scope.split():
        raise RequestError("people.provider-acr")
    texts = (provider.label, provider.client, provider.secret, provider.scope, provider.discovery)
    if not all(0 < len(text) <= MOST_TEXT and text.isprintable() for text in texts):
        raise RequestError("people.provider-text")
    return provider


def _same_guard(provider: Provider) -> bool:
    """Say whether the browser's address is as well protected as the issuer's."""
    return provider.wallet.startswith("https://") or provider.private


class Providers:
    """The providers that the operator registered."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def register(self, asking: Asking, provider: Provider) -> None:
        """Register a provider. Raises `RequestError`, `ConflictError` when its name or issuer is known.

        One only knows professionals by their number: a second one could speak for them all.
        """
        made = checked(provider)
        alone = ("kind:psc",) if made.kind == Kind.PSC else ()

        def put(value: bytes | None) -> bytes:
            if value is not None:
                raise ConflictError("people.provider-known")
            return msgspec.msgpack.encode(made)

        self._registry.change(
            asking, DRAWER, made.name, put, names=lambda _: (f"issuer:{made.issuer}", *alone)
        )

    def remove(self, asking: Asking, name: str) -> None:
        """Take a provider away: nobody comes in by it any more. Raises `NotFoundError`."""

        def gone(value: bytes | None) -> None:
            if value is None:
                raise NotFoundError("people.provider-unknown")

        self._registry.change(asking, DRAWER, name, gone)

    def get(self, asking: Asking, name: str) -> Provider:
        """Read one provider. Raises `NotFoundError`."""
        value = self._registry.get(asking, DRAWER, name)
        if value is None:
            raise NotFoundError("people.provider-unknown")
        return _of(value)

    def all(self, asking: Asking) -> list[Provider]:
        """Read every provider, by name."""
        return [_of(value) for value in self._registry.all(asking, DRAWER).values()]

    def choices(self, asking: Asking) -> tuple[ProviderChoice, ...]:
        """Give what the sign-in page offers: professionals first."""
        order = list(Kind)
        found: Iterable[Provider] = sorted(
            self.all(asking), key=lambda one: (order.index(Kind(one.kind)), one.name)
        )
        return tuple(ProviderChoice(one.name, one.kind, one.label) for one in found)


def _of(value: bytes) -> Provider:
    try:
        return msgspec.msgpack.decode(value, type=Provider)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise IntegrityError("record.altered") from None
