from serment.demo import people
from serment.fhir import document, validate
from serment.identity import luhn, rpps
from serment.model import ActorKind, Function
from tests.unit.demo.resources_of import encoded


def test_every_professional_has_a_true_rpps_of_their_own() -> None:
    numbers = [person.rpps for person in people.STAFF if person.kind is ActorKind.PROFESSIONAL]
    assert len(set(numbers)) == len(numbers) >= 12
    for number in numbers:
        rpps.check(number)


def test_only_people_outside_the_health_professions_lack_one() -> None:
    without = {person.function for person in people.STAFF if not person.rpps}
    assert without == {Function.SECRETARY, Function.SECURITY_OFFICER, Function.DPO, Function.RESEARCHER}


def test_every_structure_has_a_true_finess() -> None:
    assert all(len(s.finess) == 9 and luhn.holds(s.finess) for s in people.STRUCTURES)
    assert {person.structure for person in people.STAFF} == {s.id for s in people.STRUCTURES}


def test_the_intern_acts_under_a_doctor_of_the_same_unit() -> None:
    supervisor = next(person for person in people.STAFF if person.id == people.INTERN.supervisor)
    assert supervisor.structure == people.INTERN.structure
    assert people.INTERN.actor().supervisor == supervisor.id
    assert [person for person in people.STAFF if person.supervisor] == [people.INTERN]


def test_the_unrelated_doctor_shares_no_structure() -> None:
    others = {person.structure for person in people.STAFF if person is not people.UNRELATED_DOCTOR}
    assert people.UNRELATED_DOCTOR.structure not in others


def test_an_actor_of_the_demonstration_does_not_show_in_a_log() -> None:
    shown = repr(people.ATTENDING.actor())
    assert people.ATTENDING.rpps not in shown
    assert people.ATTENDING.family not in shown


def test_the_directory_is_sound_and_the_same_every_time() -> None:
    bundle = people.directory()
    assert bundle == people.directory()
    validate.check(document.read(encoded(bundle)))
    types = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    assert types == {"Organization", "Practitioner", "PractitionerRole"}


def test_what_a_record_names_stands_in_the_directory() -> None:
    entries = {
        f"{e['resource']['resourceType']}/{e['resource']['id']}": e for e in people.directory()["entry"]
    }
    for person in people.STAFF:
        if person.rpps:
            found = entries[people.reference(person)["reference"]]["resource"]
            assert people.reference(person)["identifier"]["value"] in [
                i["value"] for i in found["identifier"]
            ]
    for structure in people.STRUCTURES:
        assert people.place(structure)["reference"] in entries
