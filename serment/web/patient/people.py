"""Those near me: who represents me, whom I let read a part of my record, and for whom I act myself.

A carer is named in two screens: who and what, then what it changes. Each carer has an own login and an end;
nobody is named by anybody but the living holder (ADR 42). Acting for somebody else is another role: going
there ends this session and begins that one, after a fresh proof.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from serment.access.record_facts import Choice, Mandate
from serment.door import browser
from serment.door.asking import fresh_of, people_of, session_of
from serment.errors import NotFoundError, RequestError
from serment.fhir.summary import person_name
from serment.model import ActorKind, Category, Instant
from serment.people.accounts import Account, Exercise
from serment.people.signing import Proof
from serment.record import incoming
from serment.record.pages.charting import Picked, Table
from serment.web.entry.signing import label
from serment.web.forms import Form, page_form
from serment.web.groups import category_name
from serment.web.patient.choices import OPPOSABLE
from serment.web.patient.mine import Errors, Mine, mine
from serment.web.shell import go_to
from serment.web.written import day_of, long_day

HERE: Final = "/me/people"
RELATED: Final = "related"
TIES: Final = ("SPS", "CHILD", "SIB", "GRPRN", "FRND", "NBOR", "EXT")
"""What a carer may be to the person (HL7 v3-RoleCode): none of these says that somebody represents them."""
ROLE_CODES: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
LENDABLE: Final = ("identity", *OPPOSABLE)
MOST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class _Named:
    """Whom a form names as carer: somebody whom the record knows, or a name and a tie; what, until when."""

    related: str = field(repr=False)
    name: str = field(repr=False)
    tie: str
    categories: tuple[str, ...]
    until: str


async def people(request: Request) -> Response:
    """Show those near the person, each with what they may read and until when."""
    return await _shown(mine(request))


async def name_carer(request: Request) -> Response:
    """Tell what naming a carer changes, then name them."""
    mine_ = mine(request)
    form = await page_form(request, mine_.house)
    named = _Named(
        form.get("related", ""),
        " ".join(form.get("name", "").split())[:MOST_NAME],
        form.get("tie", ""),
        tuple(one for one in form.every("category") if one in LENDABLE),
        form.get("until", ""),
    )
    known = await _related(mine_)
    errors = _wrong(mine_, named, known)
    if errors:
        return await _shown(mine_, 400, errors, form)
    if form.get("read") != "yes":
        return _told(mine_, named, known)
    related = named.related or await _written(mine_, named)
    try:
        await mine_.house.choosing.name_carer(
            mine_.asking, mine_.patient, related, named.categories, named.until
        )
    except RequestError as error:
        return await _shown(mine_, error.status, {"carer": error.said(mine_.language)}, form)
    return go_to(HERE, did="saved")


async def dismiss_carer(request: Request) -> Response:
    """Take back what was said of a carer: nothing opens to them any more, and they are not told."""
    mine_ = mine(request)
    form = await page_form(request, mine_.house)
    await mine_.house.choosing.dismiss_carer(mine_.asking, mine_.patient, form.get("related", ""))
    return go_to(HERE, did="saved")


async def act_for(request: Request) -> Response:
    """Go on as the one who acts for somebody else: this session ends, that one begins.

    Raises `ProofAgainError` when the last proof is old, `NotFoundError` for a role that is not the person's.
    """
    mine_ = mine(request)
    session = fresh_of(request, mine_.house)
    form = await page_form(request, mine_.house)
    people_ = people_of(request)
    account = await run_in_threadpool(_account, mine_, session.bound.account)
    chosen = None if account is None else account.exercise(form.get("exercise", ""))
    if account is None or chosen is None or chosen not in _acts_for(account, mine_.asking.now):
        raise NotFoundError("record.not-found")
    where = browser.where_of(request, mine_.house)
    proof = Proof(session.bound.methods, 2, Instant(session.proved), device=where.device)
    to = f"/record/{chosen.patient}" if chosen.patient else "/home"
    secret = await run_in_threadpool(
        people_.signing_in.begin, mine_.asking, account, chosen.id, proof, to, where
    )
    return browser.signed_in(request, go_to(to), secret)


def _account(mine_: Mine, id_: str) -> Account | None:
    return people_of(mine_.request).accounts.get(mine_.asking, id_) if id_ else None


def _acts_for(account: Account, now: Instant) -> list[Exercise]:
    """Give the exercises in which the person acts for somebody else."""
    return [one for one in account.standing(now) if one.kind == ActorKind.PROXY.value]


async def _related(mine_: Mine) -> dict[str, str]:
    """Give the people whom the record names as near its person: id → name."""

    def pick(table: Table) -> Picked:
        items = [one for one in table.of({Category.IDENTITY}) if one.entry.type == "RelatedPerson"]
        return Picked({RELATED: items}, {RELATED: len(items)})

    chart = await mine_.house.charting.page(mine_.asking, mine_.patient, pick)
    lines = chart.groups.get(RELATED, [])
    return {line.reference.partition("/")[2]: person_name(msgspec.json.decode(line.body)) for line in lines}


def _wrong(mine_: Mine, named: _Named, known: dict[str, str]) -> dict[str, str]:
    """Say what is wrong with a form, by field."""
    errors = {}
    if named.related not in known and not named.name:
        errors["name"] = mine_.say("patient.carer-name-missing")
    if not named.related and named.tie not in TIES:
        errors["tie"] = mine_.say("patient.carer-tie-missing")
    if not named.categories:
        errors["category"] = mine_.say("patient.carer-categories-missing")
    if not mine_.to_come(named.until):
        errors["until"] = mine_.say("patient.until-missing")
    return errors


async def _written(mine_: Mine, named: _Named) -> str:
    """Write who a new carer is into the record; give the id."""
    tie = {
        "coding": [{"system": ROLE_CODES, "code": named.tie}],
        "text": mine_.say(f"patient.tie-{named.tie}"),
    }
    resource = {
        "resourceType": "RelatedPerson",
        "active": True,
        "patient": {"reference": f"Patient/{mine_.patient}"},
        "relationship": [tie],
        "name": [{"use": "usual", "text": named.name}],
    }
    made = await mine_.house.writing.create(mine_.asking, incoming.read(msgspec.json.encode(resource)))
    return made.id


def _told(mine_: Mine, named: _Named, known: dict[str, str]) -> Response:
    fields = [("related", named.related), ("name", named.name), ("tie", named.tie), ("until", named.until)]
    return mine_.page(
        "carer.html",
        name=known.get(named.related, named.name),
        categories=[category_name(one, mine_.language) for one in named.categories],
        until=day_of(named.until, mine_.language),
        fields=[
            *((name, value) for name, value in fields if value),
            *(("category", one) for one in named.categories),
        ],
    )


async def _shown(
    mine_: Mine, status: int = 200, errors: dict[str, str] | None = None, form: Form | None = None
) -> Response:
    standing = await mine_.house.chosen.standing(mine_.asking, mine_.patient)
    known = await _related(mine_)
    session = session_of(mine_.request, mine_.house)
    account = await run_in_threadpool(_account, mine_, session.bound.account)
    return mine_.page(
        "people.html",
        status,
        carers=[_carer(mine_, one, said, known) for one, said in standing.carers.items()],
        representatives=[_representative(mine_, one, known) for one in standing.mandates],
        known=sorted(known.items(), key=lambda one: one[1]),
        ties=[(one, mine_.say(f"patient.tie-{one}")) for one in TIES],
        categories=[(one, category_name(one, mine_.language)) for one in LENDABLE],
        chosen=form.every("category") if form is not None else [],
        others=[
            {"id": one.id, "label": label(one, mine_.language)}
            for one in ([] if account is None else _acts_for(account, mine_.asking.now))
        ],
        tomorrow=mine_.tomorrow,
        errors=Errors(errors or {}),
        typed=form or {},
    )


def _carer(mine_: Mine, related: str, said: list[Choice], known: dict[str, str]) -> dict[str, Any]:
    ends = [one.end for one in said if one.end]
    return {
        "related": related,
        "name": known.get(related, ""),
        "categories": [category_name(one.category, mine_.language) for one in said if one.category],
        "until": long_day(min(ends), mine_.language) if ends else "",
    }


def _representative(mine_: Mine, one: Mandate, known: dict[str, str]) -> dict[str, Any]:
    return {
        "name": known.get(one.actor.partition(":")[2], ""),
        "basis": mine_.say(f"patient.basis-{one.basis}"),
        "until": long_day(one.end, mine_.language) if one.end else "",
    }
