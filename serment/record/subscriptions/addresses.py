"""The addresses that the installation registered, and nothing else is ever sent to (HOUSE promise 11).

An address is registered by the operator on the command line, by name, with its country: a place outside the
European Economic Area asks for the legal basis of the transfer (RGPD articles 44 to 49). Registering and
removing are entries of the outbox's chain. The secret is made here and told once.

Order: what an address may be (pure), registering, removing, listing.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from serment.errors import ConflictError, NotFoundError, RequestError
from serment.ledger.entry import Interaction
from serment.model import Purpose, RequestId
from serment.record.asking import Asking
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.subscriptions import outbox
from serment.record.subscriptions.outbox import Address
from serment.record.today import KEEPER
from serment.record.writing import new_id, written

EEA: Final = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
"""ISO 3166-1 codes of the European Economic Area: no transfer to a third country."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]{1,200}(?:/[A-Za-z0-9._~/-]{0,200})?")
_LOOPBACK = "localhost"


@dataclass(frozen=True, slots=True)
class Standing:
    """One registered address and what waits for it. The secret is not shown again."""

    name: str
    url: str
    country: str
    basis: str
    private: bool
    added: int
    subscriptions: int = field(default=0)
    waiting: int = field(default=0)
    failed: int = field(default=0)


def checked(name: str, url: str, country: str, basis: str, *, private: bool) -> None:
    """Refuse what is no address of ours. Raises `RequestError`.

    https only; http to this machine itself, said to be private. No query, no user, no fragment: an address
    names a place, never a person.
    """
    if not _NAME.fullmatch(name):
        raise RequestError("subscribing.address-name")
    if not _URL.fullmatch(url) or not _well_formed(url):
        raise RequestError("subscribing.address-url")
    local = _is_local(urlsplit(url).hostname or "")
    if url.startswith("http://") and not (local and private):
        raise RequestError("subscribing.address-https")
    if not _COUNTRY.fullmatch(country):
        raise RequestError("subscribing.address-country")
    if country not in EEA.split() and not basis.strip():
        raise RequestError("subscribing.address-basis", country=country)


def _well_formed(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == _LOOPBACK


def register(
    passage: Passage, name: str, url: str, country: str, *, basis: str = "", private: bool = False
) -> str:
    """Register an address; give its secret, once. Raises `RequestError`, `ConflictError`."""
    checked(name, url, country, basis, private=private)
    asking = _asking(passage)
    address = Address(name, url, country, basis.strip(), secrets.token_urlsafe(32), private, asking.now)

    def job(pen: Pen) -> None:
        draft = outbox.draft_of(pen)
        known = outbox.addresses(pen.txn, draft.view)
        if any(one.name == name or one.url == url for one in known):
            raise ConflictError("subscribing.address-known")
        outbox.put_address(draft, address, asking.now)
        outbox.keep(pen, draft, Interaction.CREATE, _reference(name))

    passage.store.submit(lambda txn: written(passage, txn, asking, job)).result()
    return address.secret


def remove(passage: Passage, name: str) -> None:
    """Take an address away: nothing is sent there any more. Raises `NotFoundError`."""
    asking = _asking(passage)

    def job(pen: Pen) -> None:
        draft = outbox.draft_of(pen)
        item = outbox.address_item(draft, name)
        if item is None:
            raise NotFoundError("subscribing.address-unknown")
        draft.take(item)
        outbox.keep(pen, draft, Interaction.DELETE, _reference(name))

    passage.store.submit(lambda txn: written(passage, txn, asking, job)).result()


def listed(passage: Passage) -> list[Standing]:
    """List the addresses by name, with how many subscriptions stand, wait and were given up."""
    with passage.store.snapshot() as snapshot:
        view = outbox.look(passage, snapshot, _asking(passage))
        found, waiting = outbox.addresses(snapshot, view), outbox.notices(snapshot, view)
    states = Counter((one.endpoint, one.state) for one in waiting)
    return [
        Standing(
            one.name,
            one.url,
            one.country,
            one.basis,
            one.private,
            one.added,
            sum(count for (url, _), count in states.items() if url == one.url),
            states[one.url, outbox.DUE] + states[one.url, outbox.SENDING],
            states[one.url, outbox.FAILED],
        )
        for one in found
    ]


def _asking(passage: Passage) -> Asking:
    return Asking(KEEPER, Purpose.RECORD_MANAGEMENT, RequestId(new_id()), passage.clock())


def _reference(name: str) -> str:
    return f"Address/{name}/_history/1"
