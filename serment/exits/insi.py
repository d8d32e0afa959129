"""INSi over SOAP 1.2 and mutual TLS: one search by traits, one answer.

The envelope has the shape of public fixtures and clients of `rechercherInsAvecTraitsIdentite` (CNAM test
identities; ContexteBAM, ContexteLPS, WS-Addressing headers, `RECSANSVITALE`, `RESULTAT`). It was never
called conformant: no assertion of a signed-in card is added, and the service's guide was not read. The
address is the one that the operator registered; there is no proxy, no redirect and no second try. An answer
is read without document type, entities or external anything, 64 KiB at most; nothing of it is logged.

Order: where it is, the client, the envelope, reading an answer.
"""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from serment import __version__
from serment.errors import DependencyError, SettingsError
from serment.exits.identity_provider import Call, IdentityProviders
from serment.identity.evidence import Number
from serment.identity.insi import ONE, Answer, Query
from serment.identity.traits import Traits

ACTION: Final = "urn:ServiceIdentiteCertifiee:1.0.0:rechercherInsAvecTraitsIdentite"
SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING: Final = "http://www.w3.org/2005/08/addressing"
REQUEST: Final = "http://www.cnamts.fr/INSiRecSans"
RESULT: Final = "http://www.cnamts.fr/INSiResultat"
MEDIA_TYPE: Final = "application/soap+xml"

SECONDS: Final = 10.0
MOST_BYTES: Final = 64 * 1024
_MOST_DEPTH: Final = 12
_R: Final = f"{{{RESULT}}}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where INSi is, and as whom the structure speaks to it. Files are PEM.

    `certificate` and `key` are the client's (mutual TLS), `authorities` the ones that may vouch for the
    service ("" for those of the system). `emitter` names the structure, `licence` the software (IDAM).
    """

    url: str
    certificate: Path | None = None
    key: Path | None = field(default=None, repr=False)
    authorities: Path | None = None
    emitter: str = ""
    licence: str = ""


class SoapInsi:
    """Asks the service. Holds no connection between two calls; `clock` dates the request (ms)."""

    def __init__(self, address: Address, clock: Callable[[], int], seconds: float = SECONDS) -> None:
        parts = urlsplit(address.url)
        local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise SettingsError("settings.value", name="SERMENT_INSI")
        self._address, self._local = address, local
        self._clock = clock
        self._line = IdentityProviders(_trusted(address) if parts.scheme == "https" else None, seconds)

    def ask(self, query: Query) -> Answer:
        """Make one call. Raises `DependencyError`: no answer, a fault, or one that cannot be read."""
        sent = envelope(query, self._address, self._clock(), uuid.uuid4())
        kind = f'{MEDIA_TYPE}; charset=utf-8; action="{ACTION}"'
        call = Call(self._address.url, private=self._local, content=sent, content_type=kind)
        try:
            answer = self._line.ask(call)
        except DependencyError:
            raise DependencyError("identity.insi-unreachable") from None
        if answer.status != 200:
            raise DependencyError("identity.insi-unreachable")
        return read(answer.body)


def at(url: str, files: Path | None, emitter: str, clock: Callable[[], int]) -> SoapInsi | None:
    """Give a client for the registered address, with the files of a folder; None without an address.

    The folder holds `certificate.pem`, `key.pem`, `authorities.pem` and `licence`; what is not there is not
    used.
    """
    if not url:
        return None
    names = ("certificate.pem", "key.pem", "authorities.pem", "licence")
    found = [files / name if files is not None and (files / name).is_file() else None for name in names]
    licence = found[3].read_text("utf-8").strip() if found[3] is not None else ""
    return SoapInsi(Address(url, found[0], found[1], found[2], emitter, licence), clock)


def _trusted(address: Address) -> ssl.SSLContext:
    """Make the TLS context: the service's name is checked, ours is shown. Raises `SettingsError`."""
    try:
        context = ssl.create_default_context(cafile=address.authorities)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if address.certificate is not None:
            context.load_cert_chain(address.certificate, address.key)
    except (OSError, ssl.SSLError):
        raise SettingsError("settings.value", name="SERMENT_INSI_CERTIFICATE") from None
    return context


# The envelope.


def envelope(query: Query, address: Address, now: int, message: uuid.UUID) -> bytes:
    """Write the request. `now` is in ms; `message` is drawn for each call."""
    said = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    wanted = [
        ("NomNaissance", query.birth_name),
        ("Prenom", query.given),
        ("Sexe", query.sex),
        ("DateNaissance", query.birth_date),
        ("LieuNaissance", query.birth_place),
    ]
    traits = "".join(f"<i:{name}>{escape(value)}</i:{name}>" for name, value in wanted if value)
    context = f"<Id>{message}</Id><Temps>{said}</Temps><Emetteur>{escape(address.emitter)}</Emetteur>"
    software = (
        f'<LPS><IDAM R="4">{escape(address.licence)}</IDAM><Version>{__version__}</Version>'
        f"<Instance>{message}</Instance><Nom>Serment</Nom></LPS>"
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" '
        f'xmlns:i="{REQUEST}"><s:Header>'
        f'<ContexteBAM xmlns="urn:siram:bam:ctxbam" Version="01_02">{context}<COUVERTURE/></ContexteBAM>'
        f'<ContexteLPS xmlns="urn:siram:lps:ctxlps" Nature="CTXLPS" Version="01_00">{context}{software}'
        f"</ContexteLPS><a:Action>{ACTION}</a:Action><a:MessageID>uuid:{message}</a:MessageID></s:Header>"
        f"<s:Body><i:RECSANSVITALE>{traits}</i:RECSANSVITALE></s:Body></s:Envelope>"
    ).encode()


# Reading an answer.


class _NoDoctype(ElementTree.TreeBuilder):
    """Builds a tree, refuses a document type: entities are declared there and nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, *_: object) -> None:
        """Refuse the declaration as soon as it is met."""
        raise ValueError("doctype")

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        """Refuse a tree that is deeper than any answer."""
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise ValueError("depth")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        """Go up again."""
        self._depth -= 1
        return super().end(tag)


def parsed(raw: bytes) -> ElementTree.Element:
    """Parse a SOAP envelope. Raises `DependencyError`: too long, not XML, a document type, too deep."""
    if len(raw) > MOST_BYTES or b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise DependencyError("identity.insi-answer")
    try:
        parser = ElementTree.XMLParser(target=_NoDoctype())  # noqa: S314 - no document type, so no entity
        parser.feed(raw)
        root: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError):
        raise DependencyError("identity.insi-answer") from None
    if root.tag != f"{{{SOAP}}}Envelope":
        raise DependencyError("identity.insi-answer")
    return root


def read(raw: bytes) -> Answer:
    """Read an answer. Raises `DependencyError` for a fault and for anything that is no `RESULTAT`."""
    found = parsed(raw).findall(f"{{{SOAP}}}Body/{_R}RESULTAT")
    if len(found) != 1:
        raise DependencyError("identity.insi-answer")
    result = found[0]
    code = _text(result, "CR/CodeCR")
    people = result.findall(f"{_R}INDIVIDU")
    if code != ONE or not people:
        return Answer(code)
    person, numbers = people[0], list(_numbers(people[0], "INSACTIF"))
    if len(people) != 1 or len(numbers) != 1:
        raise DependencyError("identity.insi-answer")
    traits = Traits(
        _text(person, "TIQ/NomNaissance"),
        _text(person, "TIQ/ListePrenom"),
        _text(person, "TIQ/DateNaissance"),
        _text(person, "TIQ/Sexe"),
        _text(person, "TIQ/LieuNaissance"),
    )
    return Answer(code, numbers[0], tuple(_numbers(person, "INSHISTO")), traits)


def _numbers(person: ElementTree.Element, name: str) -> Iterator[Number]:
    """Read numbers with their authority; dates beside them may contradict themselves and are not read."""
    for one in person.findall(f"{_R}{name}"):
        number = _text(one, "IdIndividu/NumIdentifiant") + _text(one, "IdIndividu/Cle")
        yield _text(one, "OID"), number


def _text(inside: ElementTree.Element, path: str) -> str:
    """Read the text of one element, "" for none. Raises `DependencyError` when it stands there twice."""
    found = inside.findall("/".join(f"{_R}{step}" for step in path.split("/")))
    if len(found) > 1:
        raise DependencyError("identity.insi-answer")
    return (found[0].text or "").strip() if found else ""
