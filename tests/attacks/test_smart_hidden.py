"""What a scope hides and what does not exist answer alike, with the same work behind them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.access.scopes import Scope
from serment.errors import NotFoundError
from serment.fhir.query import parse
from serment.model import RecordToken, RequestId
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.writing import new_id
from tests.attacks.watching import Log, watched
from tests.installation import Installation, run
from tests.rules.cast import scoped

LABS = "patient/Observation.rs?category=urn:serment:category|labs"
NEVER = "0123456789abcdef"


@pytest.fixture(scope="module")
def looked(practice: Installation) -> tuple[Installation, House, Log]:
    """Lend a watched house in which the decoy was met once: no first time is compared with a second."""
    house, log = watched(practice.house)
    asked(house, log, practice.as_patient(), "Observation", NEVER)
    return practice, house, log


def scope_on(made: Installation, patient: str, *scopes: str) -> Scope:
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        record = passage.resolve(snapshot, f"Patient/{patient}")[0].record
    return scoped(*scopes, record=RecordToken(record))


def as_program(made: Installation, role: str, scope: Scope) -> Asking:
    asking = made.as_patient() if role == "patient" else made.as_staff(role)
    return replace(asking, request=RequestId(new_id()), scope=scope)


def found(made: Installation, house: House, type_: str, **criteria: str) -> str:
    pairs = [("patient", made.record()), *criteria.items()]
    return run(house.finding.search(made.as_patient(), parse(type_, pairs))).served[0].id


def asked(house: House, log: Log, asking: Asking, type_: str, id_: str) -> tuple[str, list[str]]:
    """Ask for one item: what is told, and the work behind it."""
    log.clear()
    told = []
    for ask in (
        lambda: house.reading.read(asking, type_, id_),
        lambda: house.reading.vread(asking, type_, id_, 1),
        lambda: house.reading.history(asking, type_, id_),
    ):
        with pytest.raises(NotFoundError) as refused:
            run(ask())
        told.append(str(refused.value))
    return " ".join(told), list(log)


@pytest.mark.capability("1-16", "refuses")
@pytest.mark.parametrize("role", ["patient", "attending"])
def test_an_item_outside_the_scope_is_told_like_none(
    looked: tuple[Installation, House, Log], role: str
) -> None:
    made, house, log = looked
    hidden = found(made, house, "Observation", category="vital-signs")
    asking = as_program(made, role, scope_on(made, made.record(), LABS))
    run(house.reading.read(asking, "Observation", found(made, house, "Observation", category="laboratory")))
    first = asked(house, log, asking, "Observation", hidden)
    assert first == asked(house, log, asking, "Observation", NEVER)


@pytest.mark.capability("1-16", "refuses")
def test_the_other_types_of_a_documents_class_are_told_like_none(
    looked: tuple[Installation, House, Log],
) -> None:
    made, house, log = looked
    document = found(made, house, "DocumentReference")
    asking = as_program(made, "patient", scope_on(made, made.record(), "patient/Binary.r"))
    first = asked(house, log, asking, "DocumentReference", document)
    assert first == asked(house, log, asking, "DocumentReference", NEVER)


@pytest.mark.capability("1-16", "refuses")
def test_another_record_than_the_launch_patients_is_told_like_none(
    looked: tuple[Installation, House, Log],
) -> None:
    made, house, log = looked
    others = [id_ for id_ in made.store.ids.values() if id_ != made.record()]
    seen = 0
    for other in others:
        try:
            run(house.reading.read(made.as_staff("attending"), "Patient", other))
        except NotFoundError:
            continue
        seen += 1
        asking = as_program(made, "attending", scope_on(made, made.record(), "patient/*.rs"))
        first = asked(house, log, asking, "Patient", other)
        assert first == asked(house, log, asking, "Patient", NEVER)
    assert seen > 0


@pytest.mark.capability("1-16", "refuses")
def test_a_search_under_a_scope_is_that_of_a_record_without_the_rest(
    looked: tuple[Installation, House, Log],
) -> None:
    made, house, _ = looked
    asking = as_program(made, "patient", scope_on(made, made.record(), LABS))
    whole = run(house.finding.search(made.as_patient(), parse("Observation", [("patient", made.record())])))
    for criteria in (
        [("patient", made.record())],
        [("patient", made.record()), ("category", "vital-signs")],
        [("patient", made.record()), ("code", "29463-7")],
        [("patient", made.record()), ("subject:Patient.gender", "male,female,other,unknown")],
        [("patient", made.record()), ("_summary", "count")],
    ):
        page = run(house.finding.search(asking, parse("Observation", criteria)))
        assert page.total < whole.total
        assert all(one.unit.category == "labs" for one in page.served)
    chained = parse("Observation", [("patient", made.record()), ("subject:Patient.gender", "male,female")])
    assert run(house.finding.search(asking, chained)).total == 0
