"""What a seal proves: who, what, under which act; and what each way of tampering is told as."""

from __future__ import annotations

from functools import cache
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import IntegrityError, MalformedError
from serment.model import Instant
from serment.paper import jws, pades, seal, slip
from serment.paper.press import Sheet, Text, press
from serment.paper.seal import Seal, Verdict

NOW = Instant(1_795_342_800_000)
SAID = pades.Said("Cabinet des Lilas", "À la demande de Dr Martin ; acte 0a1b", NOW)
BODY = (
    b'{"resourceType":"Observation","id":"1","meta":{"versionId":"3"},"status":"final",'
    b'"code":{"text":"glyc\xc3\xa9mie"},"valueQuantity":{"value":1.50,"unit":"g/L"}}'
)
ACT = jws.Act("0a1b", NOW, "serment.invalid/ab", 4711)
SLIP = slip.Slip(slip.Kind.PRESCRIPTION, "7KQ2M9XADV3H8TRE", "2026-11-22", "10001234567", "Lilas", b"d" * 16)


@cache
def ours() -> Seal:
    return seal.make("Cabinet des Lilas", NOW)


@cache
def theirs() -> Seal:
    return seal.make("Cabinet des Lilas", NOW)


@cache
def plain() -> bytes:
    return press(Sheet("Compte rendu", (Text("Bilan normal."),), NOW))


@cache
def signed() -> bytes:
    return pades.sealed(plain(), ours(), SAID)


# The seal.


def test_two_seals_of_one_name_are_two_keys() -> None:
    assert ours().owner == theirs().owner
    assert ours().id != theirs().id


def test_a_seal_says_of_itself_that_it_is_not_qualified() -> None:
    assert "not a qualified seal" in ours().parsed.subject.rfc4514_string()


def test_the_key_never_shows_in_a_repr() -> None:
    assert ours().key.hex() not in repr(ours())
    assert "key=" not in repr(ours())


def test_a_seal_without_its_key_seals_nothing() -> None:
    with pytest.raises(IntegrityError):
        slip.written(SLIP, ours().without_key())


def test_a_key_of_another_certificate_seals_nothing() -> None:
    with pytest.raises(IntegrityError):
        slip.written(SLIP, Seal(ours().certificate, theirs().key))


# PDF.


def test_a_sealed_document_says_who_asked_under_which_act_and_when() -> None:
    found = pades.check(signed(), [ours().without_key()])
    assert found.verdict is Verdict.SEALED
    assert found.last is not None
    assert (found.last.name, found.last.reason, found.last.at) == (SAID.name, SAID.reason, NOW)


def test_every_byte_that_was_there_before_the_seal_stays() -> None:
    assert signed().startswith(plain())


def test_a_document_sealed_twice_is_sealed() -> None:
    again = pades.sealed(signed(), ours(), SAID)
    assert pades.check(again, [ours()]).verdict is Verdict.SEALED
    assert len(pades.check(again, [ours()]).signatures) == 2


def test_a_seal_made_before_a_new_key_is_still_checked_by_the_old_one() -> None:
    assert pades.check(signed(), [theirs(), ours()]).verdict is Verdict.SEALED


@pytest.mark.capability("0-08", "refuses")
def test_a_changed_byte_in_the_document_is_told() -> None:
    """Bytes all over the document, and of the seal's dictionary before its value."""
    end = signed().index(b"/Contents <")
    for place in chain(range(0, len(plain()), 211), range(len(plain()), end, 37)):
        raw = bytearray(signed())
        raw[place] ^= 0x01
        verdict = pades.check(bytes(raw), [ours()]).verdict
        assert verdict is not Verdict.SEALED, place


@pytest.mark.capability("0-08", "refuses")
def test_a_changed_sign_in_the_value_of_the_seal_is_told() -> None:
    start = signed().index(b"/Contents <") + len(b"/Contents <")
    end = signed().index(b">", start)
    for place in (start, start + 200, start + 900, (start + end) // 2, end - 1):
        raw = bytearray(signed())
        raw[place] = ord("1") if raw[place] != ord("1") else ord("2")
        verdict = pades.check(bytes(raw), [ours()]).verdict
        assert verdict is not Verdict.SEALED, place


@pytest.mark.capability("0-08", "refuses")
def test_the_seal_of_another_key_under_the_same_name_is_told() -> None:
    assert pades.check(pades.sealed(plain(), theirs(), SAID), [ours()]).verdict is Verdict.OTHER_KEY


@pytest.mark.capability("0-08", "refuses")
@pytest.mark.parametrize("more", [b"\n%%EOF\n", b"\n9 0 obj\n<<>>\nendobj\n"])
def test_what_is_appended_after_our_seal_is_told(more: bytes) -> None:
    assert pades.check(signed() + more, [ours()]).verdict in {Verdict.EXTENDED, Verdict.UNREADABLE}


@pytest.mark.capability("0-08", "refuses")
def test_a_page_added_by_an_incremental_update_is_told() -> None:
    """The shadow attack in its plainest form: a valid update behind a valid seal."""
    from io import BytesIO

    from pyhanko.pdf_utils.generic import NameObject, TextStringObject
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(BytesIO(signed()))
    writer.root[NameObject("/Lang")] = TextStringObject("xx")
    writer.update_root()  # type: ignore[no-untyped-call]  # pyHanko has no types there
    out = BytesIO()
    writer.write(out)  # type: ignore[no-untyped-call]  # as above
    assert pades.check(out.getvalue(), [ours()]).verdict is Verdict.EXTENDED


@pytest.mark.capability("0-08", "refuses")
def test_the_signature_of_somebody_else_behind_ours_is_told() -> None:
    found = pades.check(pades.sealed(signed(), theirs(), SAID), [ours()])
    assert found.verdict is Verdict.EXTENDED


def test_a_document_without_a_seal_is_told_as_such() -> None:
    assert pades.check(plain(), [ours()]).verdict is Verdict.UNSEALED


@pytest.mark.parametrize("raw", [b"", b"%PDF-1.7", b"%PDF-1.4\nstartxref\n9999999\n%%EOF", b"\x00" * 100])
def test_bytes_that_are_no_pdf_are_never_sealed(raw: bytes) -> None:
    assert pades.check(raw, [ours()]).verdict is Verdict.UNREADABLE
    with pytest.raises(MalformedError):
        pades.sealed(raw, ours(), SAID)


# A resource.


def test_a_sealed_resource_carries_its_act_and_the_ledger() -> None:
    found = jws.check(jws.sealed(BODY, ours(), ACT), BODY, [ours().without_key()])
    assert found.verdict is Verdict.SEALED
    assert found.header["act"] == "0a1b"
    assert (found.header["ledger"], found.header["ledgerSize"]) == ("serment.invalid/ab", 4711)


def test_the_canonical_text_is_sorted_without_meta_and_keeps_every_digit() -> None:
    assert jws.canonical(BODY).decode() == (
        '{"code":{"text":"glycémie"},"id":"1","resourceType":"Observation","status":"final",'
        '"valueQuantity":{"unit":"g/L","value":1.50}}'
    )


def test_what_the_server_writes_into_meta_breaks_no_seal() -> None:
    moved = BODY.replace(b'"versionId":"3"', b'"versionId":"4","lastUpdated":"2026-11-22T10:00:00Z"')
    assert jws.check(jws.sealed(BODY, ours(), ACT), moved, [ours()]).verdict is Verdict.SEALED


@pytest.mark.capability("0-08", "refuses")
@pytest.mark.parametrize(("old", "new"), [(b"1.50", b"1.5"), (b"g/L", b"mg"), (b'"id":"1"', b'"id":"2"')])
def test_another_word_in_a_resource_breaks_its_seal(old: bytes, new: bytes) -> None:
    assert (
        jws.check(jws.sealed(BODY, ours(), ACT), BODY.replace(old, new), [ours()]).verdict is Verdict.ALTERED
    )


def test_another_act_cannot_be_written_over_the_one_that_sealed() -> None:
    one, other = (jws.sealed(BODY, ours(), jws.Act(number, NOW, "o", 1)) for number in ("aa", "bb"))
    forged = other.split(".")[0] + ".." + one.split(".")[2]
    assert jws.check(forged, BODY, [ours()]).verdict is Verdict.ALTERED


def test_a_seal_of_another_key_under_our_name_is_told() -> None:
    assert jws.check(jws.sealed(BODY, theirs(), ACT), BODY, [ours()]).verdict is Verdict.OTHER_KEY


@pytest.mark.parametrize(
    "text",
    ["", "..", "x..y", "eyJhbGciOiJub25lIn0..", "eyJhbGciOiJIUzI1NiIsImtpZCI6IkEifQ..AA", "a.b.c", "é..é"],
)
def test_no_text_of_a_stranger_passes_as_a_seal(text: str) -> None:
    assert jws.check(text, BODY, [ours()]).verdict in {Verdict.UNREADABLE, Verdict.OTHER_KEY}


def test_no_algorithm_but_ours_is_taken() -> None:
    """`none`, and a MAC under the public key that everybody knows (RFC 8725, section 2.1)."""
    import base64
    import hashlib
    import hmac

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    for algorithm in ("none", "HS256"):
        header = part(f'{{"alg":"{algorithm}","kid":"{ours().id}"}}'.encode())
        mac = hmac.digest(
            ours().pem.encode(), f"{header}.{part(jws.canonical(BODY))}".encode(), hashlib.sha256
        )
        assert jws.check(f"{header}..{part(mac)}", BODY, [ours()]).verdict is not Verdict.SEALED


# The text of a QR.


def test_a_slip_comes_back_as_it_was_written() -> None:
    assert slip.check(slip.written(SLIP, ours()), [ours().without_key()]) == slip.Checked(
        Verdict.SEALED, SLIP
    )


def test_a_slip_is_read_in_small_letters_and_over_several_lines() -> None:
    text = slip.written(SLIP, ours()).lower()
    assert slip.check(f" {text[:80]}\n{text[80:]} ", [ours()]).verdict is Verdict.SEALED


def test_a_slip_of_another_house_shows_nothing_of_what_it_claims() -> None:
    assert slip.check(slip.written(SLIP, theirs()), [ours()]) == slip.Checked(Verdict.OTHER_KEY)


@pytest.mark.capability("0-07", "refuses")
def test_no_changed_sign_in_a_slip_passes() -> None:
    text = slip.written(SLIP, ours())
    for place in range(len(text)):
        other = "A" if text[place] != "A" else "B"
        assert slip.check(text[:place] + other + text[place + 1 :], [ours()]).slip is None, place


@given(st.text(max_size=400))
def test_no_text_of_anybody_breaks_the_check_of_a_slip(text: str) -> None:
    assert slip.check(text, [ours()]).slip is None
    assert slip.check(f"SERMENT1:{ours().id}:{text}", [ours()]).slip is None


def test_a_slip_names_no_patient() -> None:
    assert set(slip.Slip.__struct_fields__) == {"kind", "number", "date", "prescriber", "owner", "digest"}
