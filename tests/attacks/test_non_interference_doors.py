"""Non-interference at the doors: status, headers, body, and the work that stands behind an answer.

The twins of `test_non_interference` are asked through the routes of the server: first everything that may
be read, page by page and file by file, then changes by criteria, that succeed where what meets them may be
seen. And in one record, an item that is hidden is asked for in every way beside one that does not exist:
the answers, the statements to the store, the key openings and the appends to the ledger must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from serment import api
from serment.model import Actor
from serment.record.writing import new_id
from tests.attacks.knocking import Answer, Doors, Question, plain
from tests.attacks.laboratory import NO_SHRINKING, ONE_OF_EACH, ROLES, Laboratory, Pair, plans
from tests.attacks.questions import (
    AMENDED,
    ASIDE,
    PATCH,
    bundle,
    changing,
    entry,
    measure,
    reaching,
    reaching_content,
    reading,
)
from tests.attacks.twins import CODES, Plan, Planned, Twin

NOWHERE = 9
"""A place that no plan has: what stands there is absent."""


def names(twin: Twin) -> dict[str, str]:
    """Name every id of a twin by its place."""
    known = {**twin.ghosts, **twin.ids}
    return {id_: f"<{place}>" for place, id_ in known.items()} | {
        twin.patient: "<patient>",
        twin.parent: "<parent>",
    }


def said(answers: Iterable[Answer], named: Mapping[str, str], *, whole: bool) -> list[object]:
    """Say what a question was answered: status, headers and text of each page."""
    told: list[object] = []
    items: list[str] = []
    for answer in answers:
        text, parts = plain(answer.text, named), list[str]()
        headers = {name: plain(value, named) for name, value in answer.headers.items()}
        if whole or "<ledger>" in text:
            headers.pop("content-length", None)
        if whole:
            text, parts = _apart(text)
            items += parts
        told.append((answer.status, headers, text, len(parts)))
    return [*told, *sorted(items)]


def _apart(text: str) -> tuple[str, list[str]]:
    """Take the items out of a bundle or a file: their order is that of their ids, in its trace too."""
    lines = text.splitlines()
    if len(lines) != 1:
        return "", lines
    bundle = json.loads(text)
    items = bundle.pop("entry", [])
    for one in items:
        if "entity" in one.get("resource", {}):
            one["resource"]["entity"].sort(key=json.dumps)
    return json.dumps(bundle), [json.dumps(one, sort_keys=True) for one in items]


async def answered(doors: Doors, actor: Actor, twin: Twin, asked: Iterable[Question]) -> list[list[object]]:
    named = names(twin)
    told: list[list[object]] = []
    for one in asked:
        answers = await doors.walk(actor, one)
        told.append([one.method, plain(one.path, named), *said(answers, named, whole=one.whole)])
    return told


def _asked(pair: Pair, twin: Twin) -> Iterator[Question]:
    items = {place: (pair.plan.items[place].type, id_) for place, id_ in sorted(twin.ids.items())}
    for one in reading(twin.patient, items, CODES, pair.now):
        if pair.trace or not any(word in one.path for word in ("AuditEvent", "$explain")):
            yield one
    yield from changing(twin.patient, CODES)


async def at_the_doors(lab: Laboratory, plan: Plan, role: str) -> list[list[list[object]]]:
    """Write the twins; give what the actor is answered of each at every door."""
    pair = await lab.pair(plan, role)
    told = []
    for twin in (pair.whole, pair.without):
        async with Doors(lab.house(), pair.now) as doors:
            told.append(await answered(doors, twin.actor(lab.made, role), twin, _asked(pair, twin)))
    lab.count(pair, len(told[0]))
    return told


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=2, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@example(plan=ONE_OF_EACH)
@given(plan=plans)
def test_no_answer_of_a_door_depends_on_what_is_hidden(laboratory: Laboratory, role: str, plan: Plan) -> None:
    for first, second in zip(*laboratory.run(at_the_doors(laboratory, plan, role)), strict=True):
        assert first == second


@pytest.mark.campaign
@settings(max_examples=300, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans, role=st.sampled_from(ROLES))
def test_no_answer_of_a_door_depends_on_what_is_hidden_long(
    laboratory: Laboratory, role: str, plan: Plan
) -> None:
    for first, second in zip(*laboratory.run(at_the_doors(laboratory, plan, role)), strict=True):
        assert first == second


async def beside_nothing(lab: Laboratory, plan: Plan, role: str, most: int) -> list[list[list[object]]]:
    """In one record, ask for hidden items and for absent ones; give answers and work of both."""
    pair = await lab.pair(plan, role)
    actor, patient = pair.whole.actor(lab.made, role), pair.whole.patient
    told: list[list[list[object]]] = [[], []]
    async with Doors(lab.house(), pair.now) as doors:
        for place, hidden in sorted(pair.hidden.items())[:most]:
            type_, absent = plan.items[place].type, new_id()
            for asked in zip(
                reaching(patient, type_, hidden, place),
                reaching(patient, type_, absent, NOWHERE),
                strict=True,
            ):
                # Once before: keys and sessions that are at hand afterwards are so for both.
                await doors.ask(actor, asked[1])
                for side, one, id_, at in zip(told, asked, (hidden, absent), (place, NOWHERE), strict=True):
                    side.append(_of_one(await doors.ask(actor, one), one, id_, at))
    lab.count(pair, len(told[0]))
    return told


def _of_one(answer: Answer, asked: Question, id_: str, place: int) -> list[object]:
    named = {id_: "<item>"}
    marks = (
        (f"place%7C{place}", "<place>"),
        (f"place|{place}", "<place>"),
        (f"2026-01-{place + 1:02d}", "<day>"),
    )

    def out(text: str) -> str:
        for mark, name in marks:
            text = text.replace(mark, name)
        return plain(text, named)

    headers = {name: out(value) for name, value in answer.headers.items()}
    return [asked.method, out(asked.path), answer.status, headers, out(answer.text), answer.work]


@pytest.mark.capability("1-24", "refuses")
@pytest.mark.parametrize("role", ROLES)
@settings(max_examples=2, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@example(plan=ONE_OF_EACH)
@given(plan=plans)
def test_hidden_and_absent_are_one_answer_after_one_work(
    laboratory: Laboratory, role: str, plan: Plan
) -> None:
    for hidden, absent in zip(*laboratory.run(beside_nothing(laboratory, plan, role, 2)), strict=True):
        assert hidden == absent


@pytest.mark.campaign
@settings(max_examples=300, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.too_slow])
@given(plan=plans, role=st.sampled_from(ROLES))
def test_hidden_and_absent_are_one_answer_after_one_work_long(
    laboratory: Laboratory, role: str, plan: Plan
) -> None:
    for hidden, absent in zip(*laboratory.run(beside_nothing(laboratory, plan, role, 7)), strict=True):
        assert hidden == absent


CONTENT = {"content-type": "application/pdf"}


@pytest.mark.parametrize("role", ["nurse", "locum", "secretary", "unrelated-doctor", "officer"])
def test_content_that_is_hidden_and_absent_content_are_one_answer(laboratory: Laboratory, role: str) -> None:
    """Whole, in ranges, by version, changed and deleted: content alone is a secret of its author's."""
    pair = laboratory.run(laboratory.pair(ONE_OF_EACH, role))
    patient = pair.whole.patient

    async def asked() -> list[list[list[object]]]:
        told: list[list[list[object]]] = [[], []]
        async with Doors(laboratory.house(), pair.now) as doors:
            doctor, actor = (pair.whole.actor(laboratory.made, one) for one in ("attending", role))
            context = {"x-security-context": f"Patient/{patient}"}
            filed = await doors.ask(doctor, Question("POST", "Binary", "%PDF-1.7 report", CONTENT | context))
            hidden, absent = filed.headers["location"].split("/")[-3], new_id()
            # Once before: a head that was written just now is opened, and stays so beside its keys.
            for id_ in (hidden, absent):
                await doors.ask(actor, Question("GET", f"Binary/{id_}"))
            for side, id_ in zip(told, (hidden, absent), strict=True):
                for one in reaching_content(patient, id_):
                    side.append(_of_one(await doors.ask(actor, one), one, id_, NOWHERE))
        return told

    hidden, absent = laboratory.run(asked())
    laboratory.count(pair, len(hidden))
    assert hidden == absent
    assert {one[2] for one in hidden} <= {404, 405}


@pytest.mark.parametrize("label", ["V", "PSY", "HIV"])
def test_blind_overwrite_of_what_may_be_written_and_not_read(laboratory: Laboratory, label: str) -> None:
    """A nurse's cell lets her write vitals of any label, and read those of none: what is there stays."""
    plan = Plan((Planned("Observation", CODES[0], label, 1, masked=False),))
    pair = laboratory.run(laboratory.pair(plan, "nurse"))
    name, patient = f"Observation/{pair.hidden[0]}", pair.whole.patient
    sent = measure(patient, CODES[1], id=pair.hidden[0])
    attacks = [
        Question("PUT", name, sent, {"if-match": 'W/"1"'}),
        Question("DELETE", name),
        Question("POST", "", bundle("transaction", entry("PUT", name, sent, ifMatch='W/"1"'))),
        Question("POST", "", bundle("transaction", entry("DELETE", name))),
    ]

    async def attacked() -> tuple[list[int], Answer]:
        async with Doors(laboratory.house(), pair.now) as doors:
            nurse, doctor = (pair.whole.actor(laboratory.made, role) for role in ("nurse", "attending"))
            answers = [(await doors.ask(nurse, attack)).status for attack in attacks]
            return answers, await doors.ask(doctor, Question("GET", name))

    answers, after = laboratory.run(attacked())
    assert set(answers) == {404}
    assert after.status == 200
    assert after.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_change_by_a_criterion_beside_a_hidden_match_meets_one(laboratory: Laboratory, method: str) -> None:
    """Two items meet it, one may be seen: it succeeds, on that one, as if there were no other."""
    shown, masked = (Planned("Observation", CODES[0], "", 1, masked=masked) for masked in (False, True))
    pair = laboratory.run(laboratory.pair(Plan((shown, masked)), "team-doctor"))
    assert set(pair.hidden) == {1}

    async def changed(twin: Twin) -> Answer:
        criteria = f"patient=Patient/{twin.patient}&code={CODES[0]}"
        sent = measure(twin.patient, CODES[0])
        question = {
            "POST": Question("POST", "Observation", sent, {"if-none-exist": criteria}),
            "PUT": Question("PUT", f"Observation?{criteria}", sent),
            "PATCH": Question("PATCH", f"Observation?{criteria}", AMENDED, PATCH),
            "DELETE": Question("DELETE", f"Observation?{criteria}"),
        }[method]
        async with Doors(laboratory.house(), pair.now) as doors:
            return await doors.ask(twin.actor(laboratory.made, "team-doctor"), question)

    answers = [laboratory.run(changed(twin)) for twin in (pair.whole, pair.without)]
    told = [
        said([one], names(twin), whole=False)
        for one, twin in zip(answers, (pair.whole, pair.without), strict=True)
    ]
    assert answers[0].status == 200
    assert told[0] == told[1]
    laboratory.count(pair, 1)


def test_every_route_is_asked_or_says_why_not() -> None:
    """A door that is added joins these tests."""
    routes = [route for route in api.ROUTES if route.path not in ASIDE]
    unasked = {route.path for route in routes if not any(_fits(route, one) for one in _all())}
    assert unasked == set()


def _all() -> list[Question]:
    id_ = new_id()
    return [
        *reading(id_, {0: ("Observation", id_)}, CODES, 0),
        *changing(id_, CODES),
        *reaching(id_, "Observation", id_, 0),
        *reaching_content(id_, id_),
    ]


def _fits(route: Route, asked: Question) -> bool:
    path = f"/fhir/{asked.path}".partition("?")[0].rstrip("/")
    return route.path_regex.match(path) is not None and asked.method in (route.methods or ())
