from base64 import b64decode
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from itertools import pairwise

import pytest

from serment.access.categories import classify
from serment.access.from_resources import team_facts
from serment.demo import people
from serment.demo.population import DemoPatient, Person, Population, bundles_for, population
from serment.errors import InvalidResourceError, RequestError
from serment.fhir import document, validate
from serment.identity.ins import carried
from serment.identity.keys import person_keys, search_keys
from serment.identity.status import status
from serment.model import Category, Function, Instant, Label
from tests.unit.demo.resources_of import encoded, entry, labels, resources_of, strings

TODAY = date(2026, 11, 23)
PATIENTS = 60


@cache
def made() -> Population:
    return population(PATIENTS, today=TODAY)


def played(role: str) -> DemoPatient:
    patient = made().cast[role]
    assert isinstance(patient, DemoPatient)
    return patient


def professional(role: str) -> Person:
    person = made().cast[role]
    assert isinstance(person, Person)
    return person


def choice(kind: str) -> list[tuple[str, str, str]]:
    return [(c.patient, c.item, c.actor) for c in made().choices if c.kind == kind]


def test_the_same_seed_gives_the_same_bytes() -> None:
    again = population(PATIENTS, today=TODAY)
    assert encoded([p.bundle for p in again.patients]) == encoded([p.bundle for p in made().patients])
    assert again.choices == made().choices


def test_another_seed_gives_other_people_and_another_day_other_histories() -> None:
    first = population(12, seed=1, today=TODAY, pdf=False).patients[11]
    assert first.traits != population(12, seed=2, today=TODAY, pdf=False).patients[11].traits
    assert first.bundle != population(12, seed=1, today=date(2026, 12, 7), pdf=False).patients[11].bundle


def test_one_record_does_not_move_when_the_town_grows() -> None:
    small, large = (population(n, today=TODAY, pdf=False).patients for n in (30, 50))
    assert [p.bundle for p in small[:20]] == [p.bundle for p in large[:20]]


def test_every_resource_is_sound_fhir_r4() -> None:
    refused = Counter[str]()
    for patient in made().patients:
        for resource in [patient.bundle, *resources_of(patient)]:
            try:
                validate.check(document.read(encoded(resource)))
            except InvalidResourceError as error:
                refused[f"{resource['resourceType']} {error.expression}"] += 1
    assert not refused


def test_every_link_inside_a_record_leads_to_one_entry() -> None:
    for patient in made().patients:
        urls = [e["fullUrl"] for e in patient.bundle["entry"]]
        assert len(set(urls)) == len(urls)
        named = {text for text in strings(patient.bundle["entry"]) if text.startswith("urn:uuid:")}
        assert named == set(urls)


def test_no_two_records_share_a_full_url() -> None:
    urls = Counter(e["fullUrl"] for patient in made().patients for e in patient.bundle["entry"])
    assert max(urls.values()) == 1


def test_everybody_is_found_by_their_keys_and_by_nobody_elses() -> None:
    keys = [set(person_keys(resources_of(patient, "Patient")[0])) for patient in made().patients]
    for own, patient in zip(keys, made().patients, strict=True):
        traits = patient.traits
        assert set(search_keys(traits.birth_date.isoformat(), traits.used_name)) <= own
        wanted = set(search_keys(traits.birth_date.isoformat(), traits.birth_name))
        assert wanted <= own
        assert sum(wanted <= others for others in keys) == 1


def test_nobody_is_entered_with_a_matricule_or_a_status() -> None:
    for patient in made().patients:
        entered = resources_of(patient, "Patient")[0]
        assert (status(entered), list(carried(patient.bundle))) == ("PROV", [])


def test_most_people_are_to_be_qualified_by_the_gestures_that_follow() -> None:
    found = Counter(patient.traits.status for patient in made().patients)
    assert found["QUAL"] > PATIENTS / 2
    assert all(patient.traits.status == "QUAL" for patient in made().patients[:10])


def test_every_record_spans_five_years_with_an_act_of_the_last_year() -> None:
    for patient in made().patients:
        visits = sorted(e["period"]["start"][:10] for e in resources_of(patient, "Encounter"))
        assert visits[0] >= "2021-10-01"
        assert visits[-1] >= "2025-11-23"
        assert visits[-1] <= TODAY.isoformat()
        assert patient.attending.id in patient.team


def test_nothing_is_dated_after_today_but_the_appointments() -> None:
    members = (
        "effectiveDateTime",
        "authoredOn",
        "occurrenceDateTime",
        "recordedDate",
        "onsetDateTime",
        "date",
    )
    for patient in made().patients:
        for resource in resources_of(patient):
            for member in members:
                assert resource.get(member, "")[:10] <= TODAY.isoformat()
            assert resource.get("period", {}).get("end", "")[:10] <= TODAY.isoformat()


def test_nothing_is_dated_before_birth() -> None:
    for patient in made().patients:
        born = patient.traits.birth_date.isoformat()
        for resource in resources_of(patient):
            day = resource.get("effectiveDateTime") or resource.get("occurrenceDateTime") or born
            assert day[:10] >= born


def test_the_types_that_a_practice_keeps_are_all_there() -> None:
    found = Counter(r["resourceType"] for patient in made().patients for r in resources_of(patient))
    assert set(found) == {
        "AllergyIntolerance",
        "Appointment",
        "Binary",
        "Condition",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "Immunization",
        "MedicationRequest",
        "Observation",
        "Patient",
        "RelatedPerson",
        "ServiceRequest",
    }
    assert found["Binary"] == found["DocumentReference"] == 14


def test_the_unrelated_doctor_of_the_town_stands_in_no_record() -> None:
    stranger = professional("unrelated-doctor")
    for patient in made().patients:
        assert stranger.id not in patient.team
        assert not any(stranger.rpps in text for text in strings(patient.bundle) if len(text) < 64)


def test_the_team_doctor_took_part_but_neither_attends_nor_wrote_what_is_masked() -> None:
    doctor, patient = professional("team-doctor"), played("patient")
    assert doctor.function is Function.ASSOCIATE
    assert doctor.id in patient.team
    assert patient.attending is people.ATTENDING is professional("attending")
    maskable = entry(patient, patient.items["maskable"])
    assert not any(doctor.rpps in text for text in strings(maskable["author"]))
    assert ("p0001", "", people.ATTENDING.id) in choice("attending")


def test_every_trace_of_the_adolescents_secret_bears_the_label() -> None:
    adolescent = played("adolescent")
    assert 15 <= adolescent.traits.age(TODAY) <= 17
    secret = [r for r in resources_of(adolescent) if any("contracept" in t.lower() for t in strings(r))]
    hormonal = [r for r in resources_of(adolescent) if any(t.startswith("G03") for t in strings(r))]
    assert len(secret) == len(hormonal) == 1
    assert all(labels(r) == [Label.MINOR_SECRET.value] for r in secret + hormonal)
    assert sum(bool(labels(r)) for r in resources_of(adolescent)) == 2


def test_the_mother_is_a_relative_of_the_adolescent_and_to_be_recorded_as_representative() -> None:
    adolescent, mother = played("adolescent"), played("mother")
    kin = next(k for k in adolescent.kin if k.key == mother.key)
    assert kin.role == "MTH"
    assert entry(adolescent, kin.related)["name"][0]["family"] == mother.traits.used_name
    chosen = [c for c in made().choices if c.kind == "representative"]
    assert [(c.patient, c.item, c.kin) for c in chosen] == [(adolescent.key, kin.related, mother.key)]


def test_masks_and_blocks_are_choices_and_never_data() -> None:
    masking = played("masking")
    assert not any("MASQUE" in text for patient in made().patients for text in strings(patient.bundle))
    assert choice("block") == [(masking.key, "", people.SECOND_ASSOCIATE.id)]
    assert people.SECOND_ASSOCIATE.id in masking.team


def test_a_masked_sheet_is_masked_with_its_file() -> None:
    masking = played("masking")
    types = [entry(masking, item)["resourceType"] for _, item, _ in choice("mask")]
    assert types == ["DocumentReference", "Binary"]


def test_the_result_to_announce_is_hidden_from_the_patient_sheet_and_file() -> None:
    waiting = played("waiting")
    held = [c for c in made().choices if c.kind == "announcement"]
    assert [entry(waiting, c.item)["resourceType"] for c in held] == ["DocumentReference", "Binary"]
    assert all(labels(entry(waiting, c.item)) == [Label.INVISIBLE_PATIENT.value] for c in held)
    assert all(c.until is not None and c.until > TODAY for c in held)


def test_the_celebrity_has_a_stay_in_the_hospital_unit() -> None:
    celebrity = played("celebrity")
    assert professional("hospital-doctor").id in celebrity.team
    assert professional("intern").id in celebrity.team


def test_families_are_linked_both_ways() -> None:
    by_key = {patient.key: patient for patient in made().patients}
    couples = [p for p in made().patients if any(k.role == "SPS" for k in p.kin)]
    assert couples
    for patient in couples:
        other = by_key[next(k.key for k in patient.kin if k.role == "SPS")]
        assert patient.key in [k.key for k in other.kin]
    children = [p for p in made().patients if p.traits.age(TODAY) < 18]
    assert children
    assert all(p.kin and "contact" in resources_of(p, "Patient")[0] for p in children)


def test_today_has_appointments_with_everybody_on_duty() -> None:
    today = [
        a
        for p in made().patients
        for a in resources_of(p, "Appointment")
        if a["start"].startswith(TODAY.isoformat())
    ]
    named = {a["participant"][1]["actor"]["identifier"]["value"] for a in today}
    on_duty = (
        people.ATTENDING,
        people.ASSOCIATE,
        people.SECOND_ASSOCIATE,
        people.LOCUM,
        people.PRACTICE_NURSE,
    )
    assert named == {person.rpps for person in on_duty}


def test_curves_settle_as_treatment_takes() -> None:
    patient = played("patient")
    results = sorted(
        (r["effectiveDateTime"], r["valueQuantity"]["value"])
        for r in resources_of(patient, "Observation")
        if r["code"]["coding"][0]["code"] == "4548-4"
    )
    assert len(results) >= 6
    assert results[0][1] > results[-1][1]
    assert all(5 < value < 11 for _, value in results)


def test_the_acts_of_a_record_make_the_team_that_the_demonstration_says() -> None:
    now = Instant(int(datetime(2026, 11, 23, 7, tzinfo=UTC).timestamp() * 1000))
    for patient in made().patients:
        facts = [
            fact
            for e in patient.bundle["entry"]
            for fact in team_facts(
                e["resource"], e["fullUrl"], people.PRACTICE.id, now, lambda _: "", imported=True
            )
        ]
        assert set(patient.team) <= {fact.actor for fact in facts}
        assert {fact.actor for fact in facts} <= {person.id for person in made().people}


def test_every_item_has_a_category_but_files_which_take_that_of_their_sheet() -> None:
    unmapped = {
        resource["resourceType"]
        for patient in made().patients
        for resource in resources_of(patient)
        if classify(resource).category is Category.UNMAPPED
    }
    assert unmapped == {"Binary"}


def test_the_labels_of_the_scenes_are_those_that_the_decision_reads() -> None:
    secret = entry(played("adolescent"), played("adolescent").items["secret-prescription"])
    waiting = entry(played("waiting"), played("waiting").items["announcement"])
    assert Label.MINOR_SECRET in classify(secret).labels
    assert Label.INVISIBLE_PATIENT in classify(waiting).labels


def test_fewer_people_than_the_scenes_need_is_refused() -> None:
    assert len(population(10, today=TODAY, pdf=False).patients) == 10
    with pytest.raises(RequestError) as raised:
        population(9, today=TODAY)
    assert raised.value.sentence == "demo.too-few"


def test_no_patient_shows_in_a_log() -> None:
    patient = made().patients[11]
    shown = repr(made()) + repr(patient) + repr(made().choices)
    assert patient.traits.matricule not in shown
    assert patient.traits.used_name not in shown


@pytest.mark.parametrize("count", [4, 12, 300])
def test_a_light_record_has_the_size_asked_for(count: int) -> None:
    for patient in bundles_for(7, count, today=TODAY):
        assert len(patient.bundle["entry"]) == count
        for resource in resources_of(patient):
            validate.check(document.read(encoded(resource)))


def test_light_records_give_everybody_on_duty_an_act_and_the_stranger_none() -> None:
    seen = Counter(actor for patient in bundles_for(60, today=TODAY) for actor in patient.team)
    on_duty = (
        people.ATTENDING,
        people.ASSOCIATE,
        people.SECOND_ASSOCIATE,
        people.LOCUM,
        people.PRACTICE_NURSE,
    )
    assert set(seen) == {person.id for person in on_duty}


@pytest.mark.campaign
def test_two_thousand_people_are_sound_too() -> None:
    for patient in population(2000, today=TODAY, pdf=False).patients:
        validate.check(document.read(encoded(patient.bundle)))


def test_a_resident_s_curve_has_the_gap_of_a_stay_elsewhere() -> None:
    resident = made().cast["resident"]
    assert isinstance(resident, DemoPatient)
    codes = [(one["code"]["coding"][0]["code"], one) for one in resources_of(resident, "Observation")]
    days = sorted(
        date.fromisoformat(one["effectiveDateTime"][:10]) for code, one in codes if code == "6301-6"
    )
    assert len(days) > 50
    gaps = [(later - before).days for before, later in pairwise(days)]
    assert sum(gap > 60 for gap in gaps) == 1


def test_the_cycle_of_the_emergency_service_is_reported_by_the_laboratory() -> None:
    came = made().cast["emergency-patient"]
    assert isinstance(came, DemoPatient)
    report = next(iter(resources_of(came, "DiagnosticReport")))
    assert len(report["result"]) == 3
    pictures = [one for one in resources_of(came, "Binary") if one["contentType"] == "image/png"]
    assert b64decode(pictures[0]["data"]).startswith(b"\x89PNG")
