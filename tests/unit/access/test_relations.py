"""From sealed facts to the case: who is what to a record, and what never grants."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.access.declare import declared_act
from serment.access.policy import shipped_policy
from serment.access.prove import CARING, PATIENT_SIDE
from serment.access.record_facts import (
    BLOCKED,
    CHOICE_KINDS,
    HEIR,
    OPPOSED,
    REPRESENTATION,
    REPRESENTATIVE,
    Choice,
    Mandate,
    RecordFacts,
    TeamFact,
)
from serment.errors import RefusedError
from serment.model import (
    Act,
    Actor,
    ActorId,
    ActorKind,
    Category,
    EmergencyReason,
    Function,
    Instant,
    ItemClass,
    Purpose,
)
from tests.rules import cast
from tests.rules.cast import (
    DAY,
    DOCTOR,
    HOUR,
    LETTER,
    MOTHER,
    NOW,
    NURSE,
    OWN,
    PATIENT,
    REQUEST,
    SECRETARY,
    SHARED,
    STRANGER,
    TEAM,
    UNIT,
    asked,
    chosen,
    mandate,
    opens,
    rule_of,
    seen,
)

CHOICE = ItemClass(Category.CHOICES, "Consent", ("N",))
POLICY = shipped_policy()
NOBODY_WROTE = ActorId("")


@pytest.mark.capability("0-11", "lets")
def test_a_person_reads_the_whole_own_record() -> None:
    for category in set(Category) - {Category.DIRECTORY}:
        unit = ItemClass(category, "any", ("V", "GDIS"))
        assert opens(asked(PATIENT, TEAM, unit)), category


@pytest.mark.capability("0-11", "refuses")
@pytest.mark.parametrize("facts", [TEAM, SHARED, OWN])
def test_a_professional_outside_the_team_and_without_consent_reads_nothing(facts: RecordFacts) -> None:
    for category in Category:
        if category is not Category.DIRECTORY:
            assert not opens(asked(STRANGER, facts, ItemClass(category, "any", ("N",)))), category


@pytest.mark.capability("4-04", "lets")
def test_one_colleague_is_opposed_and_the_others_go_on() -> None:
    facts = TEAM.with_choice(chosen(OPPOSED, NURSE))
    assert not opens(asked(NURSE, facts))
    assert opens(asked(DOCTOR, facts))


@pytest.mark.capability("4-04", "refuses")
@pytest.mark.parametrize("act", [Act.LIST, Act.READ, Act.PRINT])
@pytest.mark.parametrize("kind", [OPPOSED, BLOCKED])
def test_the_opposed_colleague_neither_lists_nor_reads_nor_prints(kind: str, act: Act) -> None:
    assert not opens(asked(NURSE, TEAM.with_choice(chosen(kind, NURSE)), act=act))


@pytest.mark.capability("2-12", "refuses")
@pytest.mark.parametrize("function", [Function.INSURER, Function.LENDER, Function.EMPLOYER])
def test_an_insurer_a_lender_an_employer_read_nothing_even_with_consent(function: Function) -> None:
    asker = replace(STRANGER, function=function)
    facts = OWN.with_choice(chosen("consent", asker))
    assert rule_of(asked(asker, facts)) == "V1.third-party-purpose"


@pytest.mark.capability("2-12", "lets")
def test_an_occupational_physician_with_express_consent_is_not_an_employer() -> None:
    facts = SHARED.with_choice(chosen("consent", cast.OCCUPATIONAL))
    assert rule_of(asked(cast.OCCUPATIONAL, facts, LETTER)) == "G7.consent"


@pytest.mark.capability("1-23", "lets")
@pytest.mark.parametrize("actor", [cast.LOCUM, NURSE, cast.DENTIST, cast.PHARMACIST])
@pytest.mark.parametrize("reason", [EmergencyReason.ON_CALL, EmergencyReason.LIFE_THREAT])
def test_in_own_every_care_profession_has_an_emergency_access(actor: Actor, reason: EmergencyReason) -> None:
    allergies = ItemClass(Category.ALLERGIES, "AllergyIntolerance", ("N",))
    facts = asked(actor, OWN, allergies, purpose=Purpose.EMERGENCY, reasons=frozenset({reason}))
    assert rule_of(facts) == "G5.emergency"


@pytest.mark.capability("1-23", "refuses")
def test_an_emergency_without_a_coded_reason_opens_nothing() -> None:
    assert not opens(asked(cast.LOCUM, OWN, purpose=Purpose.EMERGENCY))


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("act", [Act.LIST, Act.READ, Act.PRINT])
def test_a_masked_item_is_neither_listed_nor_read_nor_printed(act: Act) -> None:
    assert not opens(asked(DOCTOR, TEAM, replace(UNIT, masked=True), act))


@pytest.mark.capability("1-24", "lets")
def test_a_mask_on_one_item_leaves_the_others() -> None:
    assert opens(asked(DOCTOR, TEAM.with_choice(chosen("masked", item="Observation/1"))))


@pytest.mark.parametrize(
    ("birth_date", "basis", "holds"),
    [
        ("2020-05-01", "parental", True),
        ("2008-11-18", "parental", False),
        ("2008-11-19", "parental", True),
        ("1990", "parental", False),
        ("2015-02", "parental", True),
        ("not a date", "parental", False),
        ("", "parental", True),
        ("1950-01-01", REPRESENTATION, True),
        ("1950-01-01", "parental", False),
    ],
)
def test_a_parents_mandate_ends_when_the_child_comes_of_age(birth_date: str, basis: str, holds: bool) -> None:
    facts = msgspec.structs.replace(OWN, birth_date=birth_date)
    facts = facts.with_mandate(Mandate(MOTHER.id, REPRESENTATIVE, NOW - DAY, basis=basis))
    assert opens(asked(MOTHER, facts)) is holds


def test_a_mandate_for_some_categories_opens_those_only() -> None:
    facts = OWN.with_mandate(Mandate(MOTHER.id, REPRESENTATIVE, NOW - DAY, categories=("labs",)))
    assert opens(asked(MOTHER, facts))
    assert not opens(asked(MOTHER, facts, LETTER))


def test_a_mandate_that_has_ended_opens_nothing() -> None:
    assert not opens(asked(MOTHER, OWN.with_mandate(Mandate(MOTHER.id, REPRESENTATIVE, 0, NOW))))


def test_a_doctors_session_is_not_a_patients() -> None:
    facts = msgspec.structs.replace(OWN, holders=(DOCTOR.id,))
    assert not opens(asked(DOCTOR, facts))


def test_a_professional_adds_the_patients_words_and_never_changes_them() -> None:
    assert opens(asked(DOCTOR, TEAM, CHOICE, Act.WRITE, existing=False))
    assert not opens(asked(DOCTOR, TEAM, CHOICE, Act.WRITE, existing=True))
    assert not opens(asked(DOCTOR, TEAM, replace(CHOICE, author=DOCTOR.id), Act.READ))
    assert not opens(asked(DOCTOR, TEAM, replace(CHOICE, author=DOCTOR.id), Act.WRITE, existing=True))
    assert not opens(asked(STRANGER, TEAM, CHOICE, Act.WRITE, existing=False))


@pytest.mark.parametrize("facts", [TEAM, SHARED])
def test_the_holder_writes_choices_in_both_regimes(facts: RecordFacts) -> None:
    assert opens(asked(PATIENT, facts, CHOICE, Act.WRITE, existing=False))
    assert opens(asked(PATIENT, facts, CHOICE, Act.WRITE, existing=True))


def test_a_representative_never_reads_choices_on_a_minors_secret() -> None:
    secret = replace(CHOICE, labels=("N", "INVISIBLE_REPRESENTANTS_LEGAUX"))
    assert not opens(asked(MOTHER, OWN.with_mandate(mandate(MOTHER)), secret))


@pytest.mark.parametrize(
    ("unit", "may"),
    [
        (ItemClass(Category.PATIENT_DOCUMENT, "EXPPAT_3", ("N",)), True),
        (ItemClass(Category.REPORT, "DOCPAT03", ("N",)), True),
        (ItemClass(Category.REPORT, "11488-4", ("N",)), False),
        (ItemClass(Category.PROBLEMS, "Condition", ("N",)), False),
        (ItemClass(Category.VITALS, "Observation", ("N",)), True),
    ],
)
def test_in_shared_the_holder_deposits_a_patients_documents_only(unit: ItemClass, may: bool) -> None:
    assert opens(asked(PATIENT, SHARED, unit, Act.WRITE, existing=False)) is may


@pytest.mark.parametrize("kind", [ActorKind.OPERATOR, ActorKind.RESEARCHER, ActorKind.OFFICER])
@pytest.mark.parametrize("function", list(Function))
def test_operator_officer_and_researcher_read_no_clinical_item_whatever_their_function(
    kind: ActorKind, function: Function
) -> None:
    actor = Actor(DOCTOR.id, kind, profession="10", function=function, structure=cast.PRACTICE)
    for purpose in Purpose:
        for category in (Category.LABS, Category.NOTES, Category.REPORT, Category.IDENTITY):
            unit = ItemClass(category, "any", ("N",))
            assert not opens(asked(actor, TEAM, unit, purpose=purpose))


def test_a_service_deposits_and_never_reads_what_it_deposited() -> None:
    mine = replace(UNIT, author=cast.IMPORTER.id)
    assert opens(asked(cast.IMPORTER, OWN, UNIT, Act.WRITE))
    assert not opens(asked(cast.IMPORTER, OWN, mine))
    assert not opens(asked(cast.IMPORTER, OWN, mine, Act.WRITE, existing=True))
    assert not opens(asked(replace(cast.IMPORTER, structure="other"), OWN, UNIT, Act.WRITE))


def test_an_unknown_purpose_of_an_actor_is_refused() -> None:
    for purpose in Purpose:
        allowed = cast.USUAL[PATIENT.kind] is purpose
        assert opens(asked(PATIENT, purpose=purpose)) is allowed


def test_the_directory_is_read_by_all_and_written_by_professionals_and_staff() -> None:
    unit = ItemClass(Category.DIRECTORY, "Practitioner", ("N",))
    nowhere = RecordFacts(regime="own")
    assert opens(asked(STRANGER, nowhere, unit))
    assert opens(asked(MOTHER, nowhere, unit))
    assert opens(asked(DOCTOR, nowhere, unit, Act.WRITE))
    assert opens(asked(SECRETARY, nowhere, unit, Act.WRITE))
    assert not opens(asked(PATIENT, nowhere, unit, Act.WRITE))
    assert not opens(asked(STRANGER, TEAM, unit, Act.WRITE))
    assert not opens(asked(cast.INSURER, nowhere, unit))


@pytest.mark.parametrize("actor", [NURSE, SECRETARY, cast.LOCUM, cast.TRAINEE])
def test_a_declared_act_opens_a_record_of_the_structure_for_a_day(actor: Actor) -> None:
    fact = declared_act(actor, OWN, "telephone-advice", NOW, REQUEST, POLICY)
    facts = OWN.with_team(fact)
    identity = ItemClass(Category.IDENTITY, "Patient", ("N",))
    assert opens(asked(actor, facts, identity))
    assert opens(asked(actor, facts, identity, now=Instant(NOW + 24 * HOUR - 1)))
    assert not opens(asked(actor, facts, identity, now=Instant(NOW + 24 * HOUR)))


@pytest.mark.parametrize(
    ("actor", "facts", "reason"),
    [
        (STRANGER, OWN, "telephone-advice"),
        (DOCTOR, SHARED, "telephone-advice"),
        (DOCTOR, OWN, "curiosity"),
        (cast.ALONE, OWN, "telephone-advice"),
        (cast.OFFICER, OWN, "telephone-advice"),
        (cast.OPERATOR, OWN, "telephone-advice"),
        (PATIENT, OWN, "telephone-advice"),
    ],
)
def test_nobody_else_declares_an_act_of_care(actor: Actor, facts: RecordFacts, reason: str) -> None:
    with pytest.raises(RefusedError):
        declared_act(actor, facts, reason, NOW, REQUEST, POLICY)


def test_a_declared_act_lasts_a_day_whatever_end_it_claims() -> None:
    fact = TeamFact(NURSE.id, "declared", NOW - 2 * DAY, NOW + 365 * DAY, reason="renewal")
    assert not opens(asked(NURSE, OWN.with_team(fact)))


# What never grants, by generation.

KINDS = st.sampled_from(["stay", "appointment", "encounter", "order", "care-team", "declared", "nonsense"])
TIMES = st.integers(NOW - 800 * DAY, NOW + 800 * DAY)
TEAM_FACTS = st.builds(
    TeamFact,
    st.sampled_from([DOCTOR.id, NURSE.id, cast.LOCUM.id]),
    KINDS,
    TIMES,
    st.none() | TIMES,
    st.sampled_from(["", cast.PRACTICE, "elsewhere"]),
    st.booleans(),
    reason=st.sampled_from(["", "renewal", "free text"]),
)
CHOICES = st.builds(
    Choice,
    st.uuids().map(str),
    st.sampled_from([*sorted(CHOICE_KINDS - {"consent"}), "nonsense"]),
    st.sampled_from(["", DOCTOR.id, NURSE.id]),
    st.sampled_from(["", "labs", "notes"]),
    start=TIMES,
    end=st.none() | TIMES,
)
RECORDS = st.builds(
    RecordFacts,
    regime=st.sampled_from(["own", "shared", "", "both"]),
    structure=st.sampled_from([cast.PRACTICE, "elsewhere"]),
    status=st.sampled_from(["active", "closed", "odd"]),
    holders=st.just((PATIENT.id,)),
    team=st.lists(TEAM_FACTS, max_size=4).map(tuple),
    mandates=st.lists(
        st.builds(
            Mandate,
            st.just(MOTHER.id),
            st.sampled_from([REPRESENTATIVE, HEIR, "x"]),
            TIMES,
            st.none() | TIMES,
        ),
        max_size=2,
    ).map(tuple),
    choices=st.lists(CHOICES, max_size=3).map(tuple),
)
ACTORS = st.sampled_from(
    [
        DOCTOR,
        NURSE,
        cast.LOCUM,
        cast.TRAINEE,
        SECRETARY,
        cast.OFFICER,
        PATIENT,
        MOTHER,
        cast.INSURER,
        cast.IMPORTER,
        cast.REGULATOR,
    ]
)
UNITS = st.builds(
    ItemClass,
    st.sampled_from([Category.LABS, Category.NOTES, Category.CHOICES, Category.UNMAPPED, Category.IDENTITY]),
    st.just("Observation"),
    st.sampled_from([(), ("N",), ("V",), ("N", "GDIS"), ("N", "INVISIBLE_PATIENT"), ("strange",)]),
    st.sampled_from(["", DOCTOR.id, NURSE.id]),
    st.booleans(),
    st.none() | TIMES,
)
REASONS = st.frozensets(st.sampled_from(EmergencyReason))


@given(ACTORS, RECORDS, UNITS, st.sampled_from(Act), st.sampled_from(Purpose), REASONS, CHOICES)
def test_one_more_word_of_refusal_never_grants(
    actor: Actor,
    facts: RecordFacts,
    unit: ItemClass,
    act: Act,
    purpose: Purpose,
    reasons: frozenset[EmergencyReason],
    word: Choice,
) -> None:
    before = asked(actor, facts, unit, act, purpose=purpose, reasons=reasons)
    after = asked(actor, facts.with_choice(word), unit, act, purpose=purpose, reasons=reasons)
    assert opens(before) or not opens(after)


@given(ACTORS, RECORDS, UNITS, st.sampled_from(Purpose), REASONS)
def test_a_case_is_one_that_the_proof_has_tried(
    actor: Actor,
    facts: RecordFacts,
    unit: ItemClass,
    purpose: Purpose,
    reasons: frozenset[EmergencyReason],
) -> None:
    case = asked(actor, facts, unit, purpose=purpose, reasons=reasons)
    names = {*CARING, *(name for side in PATIENT_SIDE for name in side)}
    held = {name for name in names if getattr(case, name)}
    patients = {"holder", "representative", "carer", "heir"}
    assert not held & patients or held - patients <= {"consent"}
    assert not (case.patient_only and case.author)


def test_a_trainee_is_not_their_own_supervisor() -> None:
    alone = replace(cast.TRAINEE, supervisor=cast.TRAINEE.id)
    assert not opens(asked(alone, OWN.with_team(seen(alone))))


def test_a_supervisor_lends_the_team_to_a_trainee_only() -> None:
    locum = replace(cast.LOCUM, supervisor=DOCTOR.id)
    assert opens(asked(cast.TRAINEE))
    assert not opens(asked(locum))


@pytest.mark.parametrize(
    ("unit", "may"),
    [
        (ItemClass(Category.ADMINISTRATIVE, "CareTeam", ("N",)), True),
        (ItemClass(Category.IDENTITY, "RelatedPerson", ("N",)), True),
        (ItemClass(Category.CONTACT, "RelatedPerson", ("N",)), True),
        (ItemClass(Category.ADMINISTRATIVE, "Encounter", ("N",)), False),
        (ItemClass(Category.IDENTITY, "Patient", ("N",)), False),
        (ItemClass(Category.LABS, "CareTeam", ("N",)), False),
    ],
)
def test_an_officer_names_the_team_and_the_related_and_reads_none_of_them(
    unit: ItemClass, *, may: bool
) -> None:
    purpose = Purpose.PATIENT_ADMINISTRATION
    assert opens(asked(cast.OFFICER, TEAM, unit, Act.WRITE, purpose=purpose, existing=False)) is may
    assert not opens(asked(cast.OFFICER, TEAM, unit, Act.READ, purpose=purpose))


@pytest.mark.parametrize("profession", ["10", "60", "80", "35"])
def test_in_shared_whoever_reads_some_class_reads_who_the_person_is(profession: str) -> None:
    actor = replace(STRANGER, profession=profession)
    identity = ItemClass(Category.IDENTITY, "Patient", ("N",))
    assert opens(asked(actor, SHARED.with_team(seen(actor)), identity))
    assert not opens(asked(actor, SHARED.with_team(seen(actor)), replace(identity, labels=("N", "strange"))))


@pytest.mark.parametrize("facts", [TEAM, SHARED])
@pytest.mark.parametrize("existing", [None, True])
def test_the_patient_never_changes_what_a_professional_wrote(
    facts: RecordFacts, *, existing: bool | None
) -> None:
    theirs = ItemClass(Category.VITALS, "Observation", ("N",), author=NURSE.id)
    assert not opens(asked(PATIENT, facts, theirs, Act.WRITE, existing=existing))
    assert not opens(
        asked(PATIENT, facts, replace(theirs, author=NOBODY_WROTE), Act.WRITE, existing=existing)
    )


@pytest.mark.parametrize("facts", [TEAM, SHARED])
def test_the_patient_changes_their_own_deposit(facts: RecordFacts) -> None:
    mine = ItemClass(Category.PATIENT_DOCUMENT, "EXPPAT_3", ("N",), author=PATIENT.id)
    assert opens(asked(PATIENT, facts, mine, Act.WRITE, existing=True))


def test_the_patient_changes_their_address_whoever_wrote_it() -> None:
    contact = ItemClass(Category.CONTACT, "Patient", ("N",), author=SECRETARY.id)
    assert opens(asked(PATIENT, TEAM, contact, Act.WRITE, existing=True))
    assert not opens(
        asked(PATIENT, TEAM, replace(contact, category=Category.IDENTITY), Act.WRITE, existing=True)
    )


def test_who_collects_the_teams_consent_is_still_of_the_team() -> None:
    word = Choice("c0", "consent", start=NOW - DAY, recorded_by=DOCTOR.id)
    facts = RecordFacts(regime="shared", holders=(PATIENT.id,), choices=(word,))
    assert opens(asked(DOCTOR, facts.with_team(seen(DOCTOR)), LETTER))
    assert not opens(asked(DOCTOR, facts, LETTER))
