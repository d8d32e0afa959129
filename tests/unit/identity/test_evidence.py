import json
from typing import Any

import pytest

from serment.errors import ConflictError, InvalidResourceError
from serment.identity import evidence, ins, proofs
from serment.identity.evidence import NONE, Evidence, Proof, Retrieval
from serment.identity.status import RELIABILITY
from serment.identity.traits import Traits
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
EVENTS = (
    [one for one in json.loads(FILE.read_text("utf-8"))["identity_status"]["cases"] if "event" in one]
    if FILE.exists()
    else []
)

NUMBER = (ins.NIR, "297022A02077878")
OTHER = (ins.NIR, "236066322083656")
NIA = (ins.NIA, "799037512345625")
PERSON = Traits("ADRTROIS", "DOMINIQUE", "1997-02-26", "F", "")
FOUND = Retrieval(NUMBER, (), "INSI", 1, "staff:1")
CARD = Proof("CN", "", True, 2, "staff:1")
LICENCE = Proof("PC", "", False, 2, "staff:1")

RECUP = evidence.retrieved(NONE, FOUND, PERSON)
VALI = evidence.proved(NONE, CARD, PERSON)
QUAL = evidence.proved(RECUP, CARD, PERSON)


def patient(status: str = "", *comments: str, number: tuple[str, str] | None = None, **more: Any) -> Any:
    parts = [{"url": "identityStatus", "valueCoding": {"code": status}}] if status else []
    said = [{"url": "comment", "valueCodeableConcept": {"coding": [{"code": one}]}} for one in comments]
    own = [{"system": f"urn:oid:{number[0]}", "value": number[1]}] if number else []
    return {
        "resourceType": "Patient",
        "extension": [{"url": RELIABILITY, "extension": [*parts, *said]}],
        "identifier": own,
        "name": [{"use": "official", "family": "ADRTROIS", "given": ["DOMINIQUE"]}],
        "gender": "female",
        "birthDate": "1997-02-26",
        **more,
    }


def refused(before: Evidence, sent: Any) -> str:
    with pytest.raises(InvalidResourceError) as raised:
        evidence.settled(before, sent)
    return raised.value.sentence


def test_the_status_follows_from_the_evidence() -> None:
    assert [one.status for one in (NONE, VALI, RECUP, QUAL)] == ["PROV", "VALI", "RECUP", "QUAL"]
    assert evidence.proved(RECUP, LICENCE, PERSON).status == "RECUP"
    assert evidence.proved(QUAL, LICENCE, PERSON).status == "QUAL"


@pytest.mark.capability("0-02", "lets")
def test_what_the_facts_allow_may_be_written_with_its_number() -> None:
    assert evidence.settled(QUAL, patient("QUAL", number=NUMBER)) == QUAL
    assert evidence.settled(QUAL, patient("VALI")) == QUAL
    assert evidence.settled(RECUP, patient("RECUP")) == RECUP
    assert evidence.settled(NONE, patient()) == NONE


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize(
    ("before", "claimed"),
    [(NONE, "VALI"), (NONE, "RECUP"), (NONE, "QUAL"), (VALI, "QUAL"), (VALI, "RECUP"), (RECUP, "QUAL")],
)
def test_a_status_claimed_by_hand_is_refused(before: Evidence, claimed: str) -> None:
    assert refused(before, patient(claimed)) == "identity.status-claimed"


@pytest.mark.parametrize("claimed", ["CERTAIN", "qual", "VIDE"])
def test_a_status_that_is_none_is_refused(claimed: str) -> None:
    assert refused(QUAL, patient(claimed)) == "identity.status-several"


def test_two_statuses_at_once_are_refused_even_when_one_stands() -> None:
    parts = [{"url": "identityStatus", "valueCoding": {"code": one}} for one in ("PROV", "QUAL")]
    twice = patient() | {"extension": [{"url": RELIABILITY, "extension": parts}]}
    assert refused(NONE, twice) == "identity.status-several"


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize(
    "changed",
    [
        {"birthDate": "1997-02-27"},
        {"gender": "male"},
        {"name": [{"use": "official", "family": "ADRTROIS", "given": ["CLAUDE"]}]},
        {"name": [{"use": "official", "family": "MARTIN", "given": ["DOMINIQUE"]}]},
    ],
)
def test_a_qualified_trait_cannot_be_edited_without_the_status_falling(changed: dict[str, Any]) -> None:
    assert refused(QUAL, patient("QUAL", **changed)) == "identity.status-falls"
    fallen = evidence.settled(QUAL, patient("VALI", **changed))
    assert (fallen.status, fallen.qualified, fallen.aside) == ("VALI", (), (NUMBER,))
    assert evidence.settled(RECUP, patient("PROV", **changed)).status == "PROV"
    assert evidence.settled(VALI, patient("PROV", **changed)).status == "PROV"


def test_an_edit_and_its_undoing_do_not_qualify_again() -> None:
    fallen = evidence.settled(QUAL, patient("VALI", birthDate="1997-02-27"))
    assert refused(fallen, patient("QUAL")) == "identity.status-claimed"
    assert evidence.settled(fallen, patient("PROV")).status == "PROV"


def test_a_used_name_or_an_address_is_no_strict_trait() -> None:
    usual = {"use": "usual", "family": "MARTIN"}
    named = [usual, {"use": "official", "family": "Adrtrois", "given": ["Dominique"]}]
    assert evidence.settled(QUAL, patient("QUAL", name=named, address=[{"city": "Lyon"}])) == QUAL


@pytest.mark.parametrize("attribute", ["DOUT", "FICT", "FICTI"])
def test_doubt_and_fiction_take_all_evidence_away(attribute: str) -> None:
    assert refused(QUAL, patient("QUAL", attribute)) == "identity.status-falls"
    after = evidence.settled(QUAL, patient("PROV", attribute))
    assert (after.status, after.retrieval, after.proof, after.aside) == ("PROV", None, None, (NUMBER,))
    assert evidence.settled(after, patient("PROV")).status == "PROV"


def test_doubtful_and_fictitious_at_once_are_refused() -> None:
    assert refused(NONE, patient("PROV", "DOUT", "FICT")) == "identity.attributes"


def test_another_attribute_takes_nothing_away() -> None:
    assert evidence.settled(QUAL, patient("QUAL", "HOMA", number=NUMBER)) == QUAL


@pytest.mark.capability("0-02", "refuses")
@pytest.mark.parametrize("before", [NONE, VALI, RECUP])
def test_without_qualification_nothing_carries_the_matricule(before: Evidence) -> None:
    assert refused(before, patient(before.status, number=NUMBER)) == "identity.ins-unqualified"


def test_a_body_that_claims_less_carries_no_matricule_either() -> None:
    assert refused(QUAL, patient("VALI", number=NUMBER)) == "identity.ins-unqualified"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ((ins.NIR, "297022A02077879"), "identity.ins-key"),
        (OTHER, "identity.ins-other"),
        ((ins.NIR_TEST, NUMBER[1]), "identity.ins-other"),
        ((ins.NIA, NUMBER[1]), "identity.ins-other"),
    ],
)
def test_wrong_keys_other_people_and_other_authorities_are_refused(
    number: tuple[str, str], sentence: str
) -> None:
    assert refused(QUAL, patient("QUAL", number=number)) == sentence


@pytest.mark.parametrize(
    "hidden",
    [
        {"contained": [{"identifier": [{"system": f"urn:oid:{ins.NIR}", "value": OTHER[1]}]}]},
        {"link": [{"other": {"identifier": {"system": f"URN:OID:{ins.NIR}", "value": OTHER[1]}}}]},
        {"managingOrganization": {"identifier": {"system": ins.NIR, "value": "2 36 06 63 220 836 56"}}},
        {"extension": [{"valueIdentifier": {"system": f" urn:oid:{ins.NIR} ", "value": OTHER[1]}}]},
    ],
    ids=["contained", "link", "reference", "extension"],
)  # fmt: skip
def test_a_matricule_that_hides_elsewhere_in_the_resource_is_found(hidden: dict[str, Any]) -> None:
    assert refused(NONE, {**patient(), **hidden}) == "identity.ins-unqualified"


def test_the_number_of_the_insured_person_is_no_matricule() -> None:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NH"}]}
    insured = {"type": kind, "system": f"urn:oid:{ins.NIR}", "value": OTHER[1]}
    assert evidence.settled(NONE, patient() | {"identifier": [insured]}) == NONE


def test_two_different_ins_are_two_people_until_somebody_has_looked() -> None:
    with pytest.raises(ConflictError):
        evidence.retrieved(QUAL, Retrieval(OTHER, (), "INSI", 3, "staff:1"), PERSON)


def test_a_nir_follows_a_nia_which_stays_as_an_old_number() -> None:
    waiting = evidence.retrieved(NONE, Retrieval(NIA, (), "INSI", 1, "staff:1"), PERSON)
    now = evidence.retrieved(waiting, FOUND, PERSON)
    assert now.retrieval is not None
    assert (now.retrieval.number, now.retrieval.past) == (NUMBER, (NIA,))
    with pytest.raises(ConflictError):
        evidence.retrieved(now, Retrieval(NIA, (), "INSI", 4, "staff:1"), PERSON)


def test_a_number_that_insi_lists_as_past_gives_way() -> None:
    now = evidence.retrieved(RECUP, Retrieval(OTHER, (NUMBER,), "INSI", 3, "staff:1"), PERSON)
    assert now.numbers == (OTHER, NUMBER)


def test_received_numbers_are_kept_aside_and_qualify_nobody() -> None:
    after = evidence.received(NONE, [NUMBER, NUMBER])
    assert (after.status, after.aside, after.numbers, after.qualified) == ("PROV", (NUMBER,), (NUMBER,), ())
    assert evidence.retrieved(after, FOUND, PERSON).aside == ()


@pytest.mark.skipif(not FILE.exists(), reason=MISSING)
@pytest.mark.parametrize("case", EVENTS, ids=str)
def test_a_published_fall_is_ours(case: dict[str, str]) -> None:
    before = {"QUAL": QUAL, "RECUP": RECUP}[case["from"]]
    assert evidence.fallen(before, Traits()).status == case["expect"]


def test_evidence_shows_nobody_when_it_is_printed() -> None:
    assert NUMBER[1] not in repr(QUAL) + repr(FOUND) + repr(CARD)
    assert "ADRTROIS" not in repr(QUAL)


@pytest.mark.parametrize("kind", ["CN", "PA", "CS", "AV"])
def test_proofs_of_high_trust_stand_alone(kind: str) -> None:
    assert proofs.trusted(kind, minor=False)
    assert proofs.trusted(kind, minor=True)


@pytest.mark.parametrize("kind", ["PC", "CV", "CC", "CE", "CM", "TC", "IE"])
def test_a_driving_licence_or_a_vitale_card_is_not_of_high_trust(kind: str) -> None:
    assert not proofs.trusted(kind, "CN", minor=False)
    assert not proofs.trusted(kind, "CN", minor=True)


def test_a_childs_civil_record_is_trusted_with_a_parents_own_proof_only() -> None:
    assert proofs.trusted("LE", "CN", minor=True)
    assert not proofs.trusted("LE", minor=True)
    assert not proofs.trusted("LE", "PC", minor=True)
    assert not proofs.trusted("LE", "LE", minor=True)
    assert not proofs.trusted("LE", "CN", minor=False)
    assert not proofs.trusted("AC", minor=True)


def test_majority_is_by_date() -> None:
    assert proofs.minor_on("2008-11-23", "2026-11-22")
    assert not proofs.minor_on("2008-11-22", "2026-11-22")
    assert not proofs.minor_on("2008", "2026-11-22")


def test_a_note_on_coherence_is_no_refusal() -> None:
    assert ins.incoherences(NUMBER[1], "F", "1997-02-26") == ()
    assert ins.incoherences(NUMBER[1], "M", "1996-03-26") == (
        "identity.note-sex",
        "identity.note-year",
        "identity.note-month",
    )
    assert ins.incoherences(NUMBER[1], "", "") == ()
