"""Who somebody is, and how sure that is: the five strict traits, the status in words, the gestures on it.

A gesture is of the person who makes it: INSi's answer is shown beside the traits, and stored only when they
say that they have compared; a document is checked by its kind, no copy of it is kept. How somebody is reached
is changed here too; a strict trait is not, it is corrected where the identity is checked again.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serment.errors import (
    ConflictError,
    DependencyError,
    InvalidResourceError,
    NotFoundError,
    RefusedError,
    RequestError,
)
from serment.fhir.registration import Reached, reached, reaching
from serment.identity import proofs, traits
from serment.identity.status import QUALIFIED, status
from serment.identity.traits import NAMES, Traits
from serment.model import PatientId
from serment.record.asking import Asking
from serment.record.patching import Change
from serment.record.persons.identifying import Checked, Shown
from serment.web.forms import page_form
from serment.web.secretary.desk import RECEPTION, Desk, at_desk, shown, today_of
from serment.web.shell import go_to
from serment.web.written import day_of
from serment.words import Language, catalogue, say

FAULTS = (ConflictError, DependencyError, InvalidResourceError, NotFoundError, RefusedError, RequestError)
TEMPLATE = "secretary/identity.html"


async def identity(request: Request) -> Response:
    """Show who somebody is, how sure that is, and how they are reached."""
    desk = await at_desk(request)
    return desk if isinstance(desk, Response) else await _identity(desk)


async def ask_insi(request: Request) -> Response:
    """Ask INSi by the traits of the record; show its answer beside them. Nothing is stored."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened = desk.opened
    await page_form(request, opened.house)
    try:
        found = await opened.house.identifying.search(opened.asking, PatientId(desk.patient))
    except FAULTS as error:
        return await _identity(desk, error.status, error.said(opened.language))
    if found.comparison is None:
        return await _identity(desk, 200, say(f"identity.insi-{found.code}", opened.language))
    return _compared(desk, found)


async def accept(request: Request) -> Response:
    """Store what INSi answered, once the person at the desk has compared it."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened = desk.opened
    form = await page_form(request, opened.house)
    kind = form.get("proof", "")
    try:
        await opened.house.identifying.accept(
            opened.asking,
            PatientId(desk.patient),
            form.get("comparison", ""),
            compared=form.get("compared") == "1",
            proof=Checked(kind, form.get("companion", "")) if kind else None,
            base=opened.house.base,
        )
    except FAULTS as error:
        return await _identity(desk, error.status, error.said(opened.language))
    return _done(desk)


async def prove(request: Request) -> Response:
    """Keep that a document was checked: its kind, never a copy."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened = desk.opened
    form = await page_form(request, opened.house)
    checked = Checked(form.get("proof", ""), form.get("companion", ""))
    if not checked.kind:
        return await _identity(desk, 400, say("secretary.proof-missing", opened.language))
    try:
        patient = PatientId(desk.patient)
        await opened.house.identifying.prove(opened.asking, patient, checked, opened.house.base)
    except FAULTS as error:
        return await _identity(desk, error.status, error.said(opened.language))
    return _done(desk)


async def reach(request: Request) -> Response:
    """Change how somebody is reached; nothing else of who they are."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened = desk.opened
    form = await page_form(request, opened.house)
    said = Reached(*(form.get(name, "").strip()[:200] for name in Reached.__dataclass_fields__))
    try:
        served = await opened.house.reading.read(opened.asking, "Patient", desk.patient)
        operations = reaching(msgspec.json.decode(served.body), said)
        if operations:
            change = Change(operations, served.version, base=opened.house.base)
            await opened.house.patching.patch(opened.asking, "Patient", desk.patient, change)
    except FAULTS as error:
        return await _identity(desk, error.status, error.said(opened.language))
    return _done(desk)


async def collision(request: Request) -> Response:
    """Report that a record may hold two people, or say that it is sorted."""
    desk = await at_desk(request)
    if isinstance(desk, Response):
        return desk
    opened, form = desk.opened, await page_form(request, desk.opened.house)
    splitting, patient = opened.house.splitting, PatientId(desk.patient)
    try:
        if form.get("sorted") == "1":
            await splitting.close(opened.asking, patient, opened.house.base)
        else:
            await splitting.report(opened.asking, patient, "COLP", opened.house.base)
    except FAULTS as error:
        return await _identity(desk, error.status, error.said(opened.language))
    return _done(desk)


def _done(desk: Desk) -> Response:
    return go_to(f"{RECEPTION}/person/{desk.patient}", did="saved")


async def _identity(desk: Desk, code: int = 200, said: str = "") -> Response:
    """Show the page. Who may see the person but not how to reach them has no form for it."""
    opened = desk.opened
    try:
        served = await opened.house.reading.read(opened.asking, "Patient", desk.patient)
        patient: dict[str, Any] = msgspec.json.decode(served.body)
    except NotFoundError:
        patient = desk.person()
    strict, language = traits.of(patient), opened.language
    now = status(patient)
    return shown(
        desk,
        TEMPLATE,
        "identity",
        code,
        said=said,
        trust=_word(f"web.status-{now}", language),
        meaning=_word(f"clinician.identity-{now}", language),
        qualified=now == QUALIFIED,
        traits=_traits(strict, language),
        reached=reached(patient),
        frozen=_frozen(patient),
        **_proofs(strict, opened.asking),
    )


def _frozen(patient: dict[str, Any]) -> bool:
    """Say whether the record is reported as one of two people (RNIV attributes COLP, COLV)."""
    return b'"COLP"' in msgspec.json.encode(patient.get("extension", []))


def _traits(strict: Traits, language: Language) -> list[tuple[str, str]]:
    said = {name: getattr(strict, field) for name, field in zip(NAMES, Traits.__struct_fields__, strict=True)}
    said["birth-date"] = day_of(said["birth-date"], language)
    said["sex"] = _word(f"secretary.sex-{said['sex']}", language)
    return [(say(f"secretary.trait-{name}", language), text) for name, text in said.items()]


def _proofs(strict: Traits, asking: Asking) -> dict[str, Any]:
    """Give the kinds of document, those that make an identity sure first; a minor's may need a parent's."""
    table = proofs.kinds()
    ordered = sorted(table.values(), key=lambda row: (row["trust"] != "high", row["label"]))
    minor = proofs.minor_on(strict.birth_date, today_of(asking.now).isoformat())
    return {
        "kinds": [(row["code"], row["label"]) for row in ordered],
        "parents": [(row["code"], row["label"]) for row in ordered if row["trust"] == "high"],
        "minor": minor,
    }


def _compared(desk: Desk, found: Shown) -> Response:
    comparison, language = found.comparison, desk.opened.language
    if comparison is None:
        raise RequestError("identity.comparison")
    ours, theirs = _traits(found.local, language), _traits(comparison.traits, language)
    differs = [name in comparison.differences for name in NAMES]
    return shown(
        desk,
        "secretary/insi.html",
        "identity",
        rows=[
            (here[0], here[1], there[1], other)
            for here, there, other in zip(ours, theirs, differs, strict=True)
        ],
        notes=[say(one, language) for one in comparison.notes],
        comparison=found.token,
        **_proofs(found.local, desk.opened.asking),
    )


def _word(sentence: str, language: Language) -> str:
    return say(sentence, language) if sentence in catalogue() else ""
