"""A sealed PDF: PAdES baseline B-B (ETSI EN 319 142-1), made and checked by pyHanko, without any network.

The seal is added behind the document (an incremental update): every byte that was there stays. Who asked
for it, the number of the act and the state of the ledger stand in the signature dictionary, inside what is
signed.

Checking tells apart: a byte that was changed (`ALTERED`), something appended after our seal (`EXTENDED`), the
seal of somebody else (`OTHER_KEY`), none. pyHanko runs an event loop of its own for each call: call from a
thread, never from one in which a loop runs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

from asn1crypto import cms, keys, x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from serment.errors import MalformedError
from serment.model import Instant
from serment.paper.seal import Seal, Verdict

FIELD: Final = "Serment"
MOST_SEALS: Final = 50
_UNREADABLE: Final = (PdfError, SigningError, ValueError, KeyError, TypeError, ArithmeticError)
"""What pyHanko raises on bytes that are no PDF, or one that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Said:
    """What is sealed with a document: who asked, and the act. Both are readable by whoever has the file."""

    name: str = field(repr=False)
    reason: str = field(repr=False)
    at: Instant


@dataclass(frozen=True, slots=True)
class Found:
    """One signature in a file: of our house or not, whole or not, what it says. `at` in ms, 0 unknown."""

    ours: bool
    whole: bool
    covers_all: bool
    name: str = field(repr=False)
    reason: str = field(repr=False)
    at: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, and every signature in the order in which they were made."""

    verdict: Verdict
    signatures: tuple[Found, ...] = ()

    @property
    def last(self) -> Found | None:
        """Give our last signature."""
        return next((one for one in reversed(self.signatures) if one.ours), None)


class _At(signers.PdfSigner):
    """A signer that is told the instant instead of reading a clock."""

    def __init__(self, at: Instant, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._at = datetime.fromtimestamp(at / 1000, UTC)

    def init_signing_session(self, *given: Any, **options: Any) -> Any:
        """Begin as pyHanko does, at the instant that was given."""
        session = super().init_signing_session(*given, **options)
        session.system_time = self._at
        return session


def sealed(pdf: bytes, seal: Seal, said: Said) -> bytes:
    """Seal a PDF. Raises `MalformedError` for bytes that are not a PDF to which something can be added."""
    certificate = x509.Certificate.load(seal.certificate)
    private = keys.PrivateKeyInfo.load(seal.key)
    none = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # its constructor has no types
    signer = signers.SimpleSigner(certificate, private, none)
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        place = len(writer.prev.embedded_signatures) + 1
        if place > MOST_SEALS:
            raise MalformedError("paper.pdf-not-sealable")
        said_so = signers.PdfSignatureMetadata(
            field_name=f"{FIELD}-{place}",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            name=said.name,
            reason=said.reason,
        )
        return bytes(_At(said.at, said_so, signer=signer).sign_pdf(writer).getvalue())
    except _UNREADABLE:
        raise MalformedError("paper.pdf-not-sealable") from None


def check(pdf: bytes, seals: Collection[Seal]) -> Checked:
    """Check a PDF against the seals of one house. Never raises."""
    ours = {seal.certificate for seal in seals}
    try:
        embedded = PdfFileReader(BytesIO(pdf)).embedded_signatures
        if len(embedded) > MOST_SEALS:
            return Checked(Verdict.UNREADABLE)
        found = tuple(_found(one, ours) for one in embedded)
    except Exception:  # whatever a hostile file makes a parser raise, it is not sealed
        return Checked(Verdict.UNREADABLE)
    return Checked(_verdict(found), found)


def _verdict(found: tuple[Found, ...]) -> Verdict:
    if not found:
        return Verdict.UNSEALED
    if not all(one.whole for one in found):
        return Verdict.ALTERED
    if not any(one.ours for one in found):
        return Verdict.OTHER_KEY
    return Verdict.SEALED if found[-1].ours and found[-1].covers_all else Verdict.EXTENDED


def _found(embedded: EmbeddedPdfSignature, ours: set[bytes]) -> Found:
    certificate = embedded.signer_cert
    context = ValidationContext(trust_roots=[certificate], allow_fetching=False)
    status = validate_pdf_signature(embedded, context, skip_diff=True)
    values = embedded.sig_object
    at = embedded.self_reported_timestamp
    return Found(
        certificate.dump() in ours,
        bool(status.intact and status.valid) and _tidy(embedded, certificate),
        status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        str(values.get("/Name", "")),
        str(values.get("/Reason", "")),
        int(at.timestamp() * 1000) if at is not None else 0,
    )


def _tidy(embedded: EmbeddedPdfSignature, certificate: x509.Certificate) -> bool:
    """Say whether the value of a signature holds nothing besides: no other certificate, no sign behind it."""
    content = cms.ContentInfo.load(embedded.pkcs7_content)
    others = [one.chosen.dump() for one in content["content"]["certificates"]]
    behind = embedded.pkcs7_content[len(content.dump()) :]
    return others == [certificate.dump()] and not any(behind)
