"""Operations and changes by a criterion tell nothing: hidden or absent, the same answer after the same work.

What is tried: a conditional deletion that deletes, or counts, what its caller may not see; an operation that
opens the whole record beside the check of single reads (microsoft/fhir-server ADR-2607).
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from serment.errors import SermentError
from serment.fhir import patch
from serment.fhir.bundle import ResponseItem
from serment.fhir.query import parse
from serment.model import EmergencyReason, PatientId
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.everything import Wanted
from serment.record.house import House
from serment.record.patching import Change
from tests.attacks.test_leak_oracles import OBSERVATION, Scene, absent, scene
from tests.attacks.watching import Log, watched
from tests.doors.samples import bundle, entry
from tests.installation import run

__all__ = ["scene"]

CHANGE = Change(patch.read(b'[{"op": "replace", "path": "/status", "value": "amended"}]'))

Walk = Callable[[House, Asking, str, str], Awaitable[Any]]
"""Something asked of a house: house, asker, id of an item or record, the patient of the scene."""


def twice(scene: Scene, role: str, asked: tuple[str, str], walk: Walk) -> tuple[list[Log], list[str]]:
    """Ask for both, twice; give what the second round left behind, and what was told."""
    house, log = watched(scene.server.house)
    asking = scene.server.installation.as_staff(role)
    left: list[Log] = []
    told: list[str] = []
    for one in asked * 2:
        log.clear()
        try:
            run(_whatever(walk(house, asking, one, scene.patient)))
            told.append("nothing raised")
        except SermentError as error:
            told.append(f"{type(error).__name__} {error}")
        left.append(list(log))
    return left[2:], told[2:]


async def _whatever(asked: Awaitable[Any]) -> None:
    await asked


def _where(patient: str, id_: str) -> str:
    return f"patient=Patient/{patient}&_id={id_}"


def _weight(patient: str) -> incoming.Incoming:
    made = {
        "resourceType": OBSERVATION,
        "status": "final",
        "code": {"text": "x"},
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                                  "code": "vital-signs"}]}],
        "subject": {"reference": f"Patient/{patient}"},
    }  # fmt: skip
    return incoming.read(json.dumps(made).encode())


def _bundled(house: House, asking: Asking, kind: str, one: dict[str, Any]) -> Awaitable[Any]:
    raw = json.dumps(bundle(one, kind=kind)).encode()
    return _succeeding(house.bundling.run(asking, raw, "https://here.example/fhir"))


async def _succeeding(asked: Awaitable[tuple[str, list[ResponseItem]]]) -> None:
    """Raise what an entry of a batch was refused for, as its outcome says it."""
    for one in (await asked)[1]:
        if one.outcome is not None:
            raise SermentError("api.internal", request=one.outcome.decode())


def _patching(url: str) -> dict[str, Any]:
    operations = b'[{"op": "replace", "path": "/status", "value": "amended"}]'
    data = base64.b64encode(operations).decode()
    binary = {"resourceType": "Binary", "contentType": patch.MEDIA_TYPE, "data": data}
    return entry(binary, "PATCH", url)


def _naming(patient: str, reference: str) -> dict[str, Any]:
    sent = json.loads(_weight(patient).document.text)
    return {**sent, "derivedFrom": [{"reference": reference}]}


BUNDLED: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "patch": lambda id_, _: _patching(f"{OBSERVATION}/{id_}"),
    "patch by a criterion": lambda id_, p: _patching(f"{OBSERVATION}?{_where(p, id_)}"),
    "delete by a criterion": lambda id_, p: entry(None, "DELETE", f"{OBSERVATION}?{_where(p, id_)}"),
    "update by a criterion of a version": lambda id_, p: entry(
        json.loads(_weight(p).document.text), "PUT", f"{OBSERVATION}?{_where(p, id_)}", ifMatch='W/"1"'
    ),
    "reference by a criterion": lambda id_, p: entry(_naming(p, f"{OBSERVATION}?{_where(p, id_)}")),
}


def _in_a_bundle(name: str, kind: str) -> Walk:
    return lambda h, a, id_, p: _bundled(h, a, kind, BUNDLED[name](id_, p))


ITEM_WALKS: dict[str, Walk] = {
    **{f"{name} in a transaction": _in_a_bundle(name, "transaction") for name in BUNDLED},
    **{f"{name} in a batch": _in_a_bundle(name, "batch") for name in BUNDLED if "reference" not in name},
    "patch": lambda h, a, id_, _: h.patching.patch(a, OBSERVATION, id_, CHANGE),
    "patch of a version": lambda h, a, id_, _: h.patching.patch(
        a, OBSERVATION, id_, Change(CHANGE.operations, 1)
    ),
    "patch by a criterion": lambda h, a, id_, p: h.patching.patch_where(
        a, OBSERVATION, _where(p, id_), CHANGE
    ),
    "delete by a criterion": lambda h, a, id_, p: h.patching.delete_where(
        a, OBSERVATION, _where(p, id_), "", None
    ),
    "update by a criterion of a version": lambda h, a, id_, p: h.writing.upsert(
        a, _weight(p), _where(p, id_), 1
    ),
    "explain one item": lambda h, a, id_, p: h.disclosing.everybody(a, PatientId(p), f"{OBSERVATION}/{id_}"),
}

RECORD_WALKS: dict[str, Walk] = {
    "everything": lambda h, a, id_, _: h.everything.page(a, Wanted(id_)),
    "everything of a type": lambda h, a, id_, _: h.everything.page(a, Wanted(id_, (OBSERVATION,))),
    "history of a type": lambda h, a, id_, _: h.everything.chronicle(a, Wanted(id_, (OBSERVATION,))),
    "summary": lambda h, a, id_, _: h.summarising.summary(a, id_, ""),
    "export": lambda h, a, id_, _: h.exporting.begin(a, id_, (), 0),
    "emergency": lambda h, a, id_, _: h.emergency.open(a, PatientId(id_), [EmergencyReason.ON_CALL]),
    "audit": lambda h, a, id_, _: h.auditing.search(a, parse("AuditEvent", [("patient", id_)])),
    "audit event": lambda h, a, id_, _: h.auditing.read(a, id_.replace("-", "") + "0" * 32),
    "verification": lambda h, a, id_, _: h.auditing.verify(a, id_),
    "explain": lambda h, a, id_, _: h.disclosing.everybody(a, PatientId(id_)),
    "declare": lambda h, a, id_, _: h.choosing.declare_act(a, PatientId(id_), "visit-today"),
    "declare on call": lambda h, a, id_, _: h.choosing.declare_act(a, PatientId(id_), "on-call"),
    "confirm": lambda h, a, id_, _: h.choosing.confirm_attending(a, PatientId(id_), "99900001013"),
    "update by a criterion": lambda h, a, id_, _: h.writing.upsert(
        a, _weight(id_), f"patient={id_}&code=x", None
    ),
    "create by a criterion": lambda h, a, id_, _: h.writing.create(a, _weight(id_), f"patient={id_}&code=x"),
}


@pytest.mark.parametrize("walk", sorted(ITEM_WALKS))
@pytest.mark.capability("1-24", "refuses")
def test_a_hidden_item_and_an_unknown_one_leave_the_same_list(scene: Scene, walk: str) -> None:
    asked = tuple(one.partition("/")[2] for one in (scene.observation, absent(scene.observation)))
    left, told = twice(scene, "team-doctor", (asked[0], asked[1]), ITEM_WALKS[walk])
    assert left[0]
    assert left[0] == left[1]
    assert told[0] == told[1]


@pytest.mark.parametrize("walk", sorted(RECORD_WALKS))
@pytest.mark.capability("1-24", "refuses")
def test_a_closed_record_and_an_unknown_one_leave_the_same_list(scene: Scene, walk: str) -> None:
    left, told = twice(scene, "unrelated-doctor", (scene.patient, str(uuid.UUID(int=5))), RECORD_WALKS[walk])
    assert left[0]
    assert left[0] == left[1]
    assert told[0] == told[1]


def test_a_condition_never_deletes_what_its_author_may_not_see(scene: Scene) -> None:
    id_ = scene.observation.partition("/")[2]
    with scene.server.staff("team-doctor") as doctor:
        gone = doctor.delete(OBSERVATION, params={"patient": scene.patient, "_id": id_})
    assert gone.status_code == 404
    assert scene.resource(scene.observation)["id"] == id_


def test_a_hidden_item_is_in_no_page_of_the_whole(scene: Scene) -> None:
    house = scene.server.house
    asking = scene.server.installation.as_staff("team-doctor")
    hidden = {scene.observation, scene.document}
    page = run(house.everything.page(asking, Wanted(scene.patient, count=1000)))
    assert not hidden & {f"{one.type}/{one.id}" for one in page.served}
    for type_ in ("Observation", "DocumentReference"):
        versions = run(house.everything.chronicle(asking, Wanted(scene.patient, (type_,), count=500)))
        assert not hidden & {f"{one.type}/{one.id}" for one in versions.served}
