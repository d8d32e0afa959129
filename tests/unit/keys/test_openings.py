"""The three openings: each refusal, and what each gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from serment.errors import IntegrityError, RefusedError
from serment.keys.envelope import tag_of
from serment.keys.openings import SealedRow, check, glance
from serment.keys.openings import open as open_row
from serment.keys.record_keys import RecordKeys
from serment.model import Act, ActorId, Category, Instant, ItemClass, Permit, Receipt, RequestId
from tests.unit.keys.samples import (
    ALICE,
    BRUNO,
    CONTACT,
    LABS,
    NOW,
    STORE,
    alice,
    bruno,
    material,
    permit,
    receipt,
)

HEAD, FACTS, PACK, BODY = b"head", b"facts", b"pack", b'{"valueQuantity":{"value":1.00}}'


def head_row(keys: RecordKeys, epoch: int = 7) -> SealedRow:
    return SealedRow(keys.head_at(epoch), keys.seal_head(epoch, HEAD))


def facts_row(keys: RecordKeys) -> SealedRow:
    sealed = keys.seal_facts(7, FACTS)
    return SealedRow(keys.facts_at(7), sealed, tag=tag_of(sealed))


def pack_row(keys: RecordKeys, unit: ItemClass = LABS) -> SealedRow:
    sealed = keys.seal_pack(12, unit, PACK)
    return SealedRow(keys.pack_at(12, unit), sealed, unit, tag_of(sealed))


def body_row(keys: RecordKeys, unit: ItemClass = LABS, part: str = "") -> SealedRow:
    sealed = keys.seal_body(unit.category, "Observation", "f001", 1, BODY, part)
    return SealedRow(keys.body_at("Observation", "f001", 1, part), sealed, unit, tag_of(sealed))


def chunk_row(keys: RecordKeys, *, last: bool = False) -> SealedRow:
    sealed = keys.seal_chunk(LABS.category, b"blob", 0, b"%PDF", last=last)
    return SealedRow(keys.chunk_at(b"blob", 0, last=last), sealed, LABS, tag_of(sealed))


def quarantine_row(keys: RecordKeys) -> SealedRow:
    return SealedRow(keys.quarantine_at("file:3"), keys.seal_quarantine("file:3", b"{"), LABS)


ROWS = [head_row, facts_row, pack_row, body_row, chunk_row, quarantine_row]


def test_head_and_facts_are_glanced_without_a_permit() -> None:
    assert glance(alice(), head_row(alice())).value == HEAD
    assert glance(alice(), facts_row(alice())).value == FACTS


@pytest.mark.parametrize("act", list(Act))
def test_a_pack_is_glanced_with_a_permit_for_its_class(act: Act) -> None:
    assert glance(alice(), pack_row(alice()), permit(act)).value == PACK


def test_what_was_glanced_shows_nothing() -> None:
    assert repr(glance(alice(), head_row(alice()))) == "Glanced()"
    assert repr(facts_row(alice())) == "SealedRow(Coordinates(facts, ))"


@pytest.mark.parametrize("row", [body_row, chunk_row, quarantine_row])
def test_a_body_is_never_glanced(row: Callable[[RecordKeys], SealedRow]) -> None:
    refused("keys.wrong-opening", lambda: glance(alice(), row(alice()), permit()))


def test_a_pack_is_not_glanced_without_a_permit() -> None:
    refused("keys.permit-missing", lambda: glance(alice(), pack_row(alice())))


def test_a_pack_is_not_glanced_with_a_permit_for_another_record() -> None:
    refused("keys.permit-record", lambda: glance(alice(), pack_row(alice()), permit(record=BRUNO)))


OTHER_CLASSES = [
    replace(LABS, category=Category.NOTES),
    replace(LABS, document_type="DiagnosticReport"),
    replace(LABS, labels=("N", "PSY")),
    replace(LABS, labels=()),
    replace(LABS, author=ActorId("rpps:10000000002")),
    replace(LABS, masked=True),
    replace(LABS, timer_end=NOW),
]


@pytest.mark.parametrize("unit", OTHER_CLASSES)
def test_a_permit_for_another_class_glances_no_pack(unit: ItemClass) -> None:
    refused("keys.permit-class", lambda: glance(alice(), pack_row(alice()), permit(unit=unit)))


@pytest.mark.parametrize("unit", OTHER_CLASSES)
def test_a_pack_announced_as_another_class_than_it_was_sealed_for_does_not_open(unit: ItemClass) -> None:
    """A head that lies, or a caller that mixes two packs up: the class is in the coordinates."""
    row = pack_row(alice())
    broken("keys.other-class", lambda: glance(alice(), row._replace(unit=unit), permit(unit=unit)))
    relabelled = row._replace(unit=unit, at=alice().pack_at(12, unit))
    with pytest.raises(IntegrityError):
        glance(alice(), relabelled, permit(unit=unit))


@pytest.mark.parametrize("act", [Act.READ, Act.PRINT])
def test_a_body_opens_with_its_permit_and_receipt(act: Act) -> None:
    assert open_row(alice(), permit(act), receipt(), body_row(alice()), NOW) == BODY
    assert open_row(alice(), permit(act), receipt(), chunk_row(alice()), NOW) == b"%PDF"
    assert open_row(alice(), permit(act), receipt(), quarantine_row(alice()), NOW) == b"{"


@pytest.mark.parametrize("row", [head_row, facts_row, pack_row])
def test_open_takes_nothing_but_bodies(row: Callable[[RecordKeys], SealedRow]) -> None:
    refused("keys.wrong-opening", lambda: open_row(alice(), permit(), receipt(), row(alice()), NOW))


@pytest.mark.parametrize("act", [Act.LIST, Act.WRITE, Act.FILE])
def test_a_permit_to_list_write_or_file_opens_no_body(act: Act) -> None:
    opening_is_refused("keys.permit-act", permit=permit(act))


def test_a_permit_for_another_record_opens_nothing() -> None:
    opening_is_refused("keys.permit-record", permit=permit(record=BRUNO), receipt=receipt(BRUNO))


@pytest.mark.parametrize("unit", OTHER_CLASSES)
def test_a_permit_for_another_class_opens_nothing(unit: ItemClass) -> None:
    opening_is_refused("keys.permit-class", permit=permit(unit=unit))


def test_a_row_without_a_class_opens_nothing() -> None:
    opening_is_refused("keys.permit-class", row=body_row(alice())._replace(unit=None))


def test_the_receipt_of_another_record_opens_nothing() -> None:
    opening_is_refused("keys.receipt-record", receipt=receipt(BRUNO))


def test_the_receipt_of_another_request_opens_nothing() -> None:
    opening_is_refused("keys.receipt-request", receipt=receipt(request=RequestId("act-2")))


@pytest.mark.parametrize("late", [1000, 1001, 10**9])
def test_a_permit_that_has_run_out_opens_nothing(late: int) -> None:
    opening_is_refused("keys.permit-expired", now=Instant(NOW + late))


def test_a_row_that_no_entry_lists_does_not_open() -> None:
    opening_breaks("keys.unlisted", body_row(alice())._replace(tag=None))


def test_an_older_row_put_back_in_place_does_not_open() -> None:
    opening_breaks("keys.other-tag", body_row(alice())._replace(tag=body_row(alice()).tag))


@pytest.mark.capability("4-13", "refuses")
def test_an_altered_body_does_not_open() -> None:
    row = body_row(alice())
    opening_breaks("keys.altered", row._replace(sealed=row.sealed[:100] + b"!" + row.sealed[101:]))


def test_a_row_moved_to_another_patient_does_not_open() -> None:
    row = body_row(bruno())
    opening_breaks("keys.wrong-key", row._replace(at=alice().body_at("Observation", "f001", 1)))


def test_the_keys_of_one_record_do_not_open_a_row_of_another() -> None:
    row = body_row(bruno())
    broken("keys.wrong-key", lambda: open_row(alice(), permit(record=BRUNO), receipt(BRUNO), row, NOW))


def test_the_keys_of_another_installation_do_not_open_a_row() -> None:
    elsewhere = RecordKeys(replace(material(ALICE, 1), store=b"other-store-id16"))
    broken("keys.wrong-key", lambda: open_row(elsewhere, permit(), receipt(), body_row(alice()), NOW))
    assert elsewhere.store != STORE


def test_a_clear_epoch_changed_by_hand_does_not_open_the_head() -> None:
    row = head_row(alice(), epoch=7)
    broken("keys.altered", lambda: glance(alice(), row._replace(at=alice().head_at(8))))


def test_facts_of_an_earlier_head_are_found() -> None:
    row = facts_row(alice())
    broken("keys.other-tag", lambda: glance(alice(), row._replace(tag=b"t" * 16)))
    broken("keys.unlisted", lambda: glance(alice(), row._replace(tag=None)))


@pytest.mark.capability("0-21", "refuses")
def test_a_care_permit_opens_no_address_or_telephone() -> None:
    row = body_row(alice(), CONTACT, "contact")
    opening_is_refused("keys.permit-class", row=row)
    assert open_row(alice(), permit(unit=CONTACT), receipt(), row, NOW) == BODY


def test_contact_and_care_rows_stand_under_different_keys() -> None:
    row = body_row(alice(), CONTACT, "contact")._replace(unit=LABS)
    opening_breaks("keys.wrong-key", row)


def test_the_contact_half_of_a_patient_does_not_pass_for_the_other_half() -> None:
    row = body_row(alice(), CONTACT, "contact")
    moved = row._replace(at=alice().body_at("Observation", "f001", 1))
    broken("keys.altered", lambda: open_row(alice(), permit(unit=CONTACT), receipt(), moved, NOW))


def test_a_blob_cut_short_is_found() -> None:
    row = chunk_row(alice(), last=False)
    opening_breaks("keys.altered", row._replace(at=alice().chunk_at(b"blob", 0, last=True)))


def test_two_chunks_do_not_change_places() -> None:
    row = chunk_row(alice())
    opening_breaks("keys.altered", row._replace(at=alice().chunk_at(b"blob", 1, last=False)))


@pytest.mark.capability("4-13", "lets")
@pytest.mark.parametrize("make", ROWS)
def test_check_says_yes_to_a_whole_row_and_no_to_any_other(make: Callable[[RecordKeys], SealedRow]) -> None:
    row = make(alice())
    assert check(alice(), row) is True
    assert check(bruno(), row) is False
    assert check(alice(), row._replace(tag=b"x" * 16)) is False
    assert check(alice(), row._replace(sealed=row.sealed[:-1] + bytes([row.sealed[-1] ^ 1]))) is False


def refused(sentence: str, act: Callable[[], object]) -> None:
    with pytest.raises(RefusedError) as caught:
        act()
    assert caught.value.sentence == sentence


def broken(sentence: str, act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError) as caught:
        act()
    assert caught.value.sentence == sentence


def opening_is_refused(
    sentence: str,
    permit: Permit = permit(),  # noqa: B008 - a plain value
    receipt: Receipt = receipt(),  # noqa: B008 - a plain value
    row: SealedRow | None = None,
    now: Instant = NOW,
) -> None:
    refused(sentence, lambda: open_row(alice(), permit, receipt, row or body_row(alice()), now))


def opening_breaks(sentence: str, row: SealedRow) -> None:
    broken(sentence, lambda: open_row(alice(), permit(), receipt(), row, NOW))
