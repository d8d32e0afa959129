"""What is asked of a record at the doors: every route of the server, in three lists.

`reading` asks for what may be seen, `changing` changes it by criteria, both of a record that holds secrets
and of its twin without them. `reaching` names one item, or what only that item holds: it is asked of an item
that is hidden and of one that does not exist. `ASIDE` are the routes that are asked in neither, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.attacks.knocking import Question

Json = dict[str, Any]

ASIDE = {
    "/livez": "tells of the process",
    "/readyz": "tells of the process",
    "/fhir/metadata": "tells of the server",
    "/fhir/": "is /fhir",
    "/fhir/ValueSet/$validate-code": "is given what it judges; asked by doors/test_terminology.py",
    "/fhir/CodeSystem/$validate-code": "is given what it judges; asked by doors/test_terminology.py",
    "/fhir/Patient/{id:logical}/$confirm-attending": "the holder's word, not an answer on items",
    "/fhir/Patient/{id:logical}/$legal-declaration": "asked by doors/test_legal_declaration.py",
    "/fhir/Patient/{id:logical}/$declare-act": "changes who asks; asked by attacks/test_laundered_act.py",
    "/fhir/Practitioner/$declared-acts": "counts acts, not items; asked by doors/test_care_relation.py",
    "/fhir/Binary": "takes contents and searches nothing; asked by doors/test_binary_attacks.py",
    "/fhir/Patient/{id:logical}/$export/job": "followed from $export",
    "/fhir/Patient/{id:logical}/$export/file": "followed from $export",
    "/fhir/Patient/$find-as-typed": "tells who people are, no item; asked by attacks/test_typing.py",
    "/fhir/Patient/$duplicates": "tells who people are, no item; asked by attacks/test_review_people.py",
    "/fhir/.well-known/smart-configuration": "tells of the server",
    "/.well-known/oauth-authorization-server": "tells of the server",
    "/token": "tells of tokens, no record; asked by attacks/test_smart_codes.py and test_smart_tokens.py",
    "/introspect": "tells of tokens, no record; asked by attacks/test_smart_tokens.py",
    "/revoke": "tells of tokens, no record; asked by attacks/test_smart_tokens.py",
}

PATCH = {"content-type": "application/json-patch+json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
ASYNC = {"prefer": "respond-async"}
AMENDED = [{"op": "replace", "path": "/status", "value": "amended"}]
GUESSED = [{"op": "test", "path": "/status", "value": "final"}]

VITAL = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
    ]
}


def measure(patient: str, code: str, **more: Any) -> Json:
    """Make the observation that a change sends."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [VITAL],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": "sent"},
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def bundle(kind: str, *entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource: Json | None = None, **conditions: str) -> Json:
    said: Json = {"request": {"method": method, "url": url, **conditions}}
    return said if resource is None else {**said, "resource": resource}


def subscription(patient: str, code: str, **more: Any) -> Json:
    """Ask to be told at an address that nobody registered."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "x",
        "criteria": f"Observation?patient={patient}&code={code}",
        "channel": {"type": "rest-hook", "endpoint": "https://hook.example/told"},
        **more,
    }


def emergency(*reasons: str) -> Json:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "reason", "valueCode": reason} for reason in reasons],
    }


def parameters(**given: Json) -> Json:
    """Write Parameters: name → its value[x]; an underscore of a name stands for a hyphen."""
    said = [{"name": name.replace("_", "-"), **value} for name, value in given.items()]
    return {"resourceType": "Parameters", "parameter": said}


def referring(reference: str) -> Json:
    return {"valueReference": {"reference": reference}}


def coded(code: str) -> Json:
    return {"valueCode": code}


def reading(
    patient: str, items: Mapping[int, tuple[str, str]], codes: tuple[str, ...], now: int
) -> Iterator[Question]:
    """Ask for what may be seen of a record: `items` by place, as type and id."""
    since = quote(datetime.fromtimestamp(now / 1000 - 198, UTC).isoformat(timespec="milliseconds"))
    yield from _whole(patient, since)
    yield from _trace(patient)
    # After the trace: which items stand together on a page, hence in an entry, depends on their ids.
    for more in ("_count=2", "_count=3&_type=Observation,Condition", f"_count=2&_since={since}"):
        yield Question("GET", f"Patient/{patient}/$everything?{more}", whole=True)
    owner = f"patient=Patient/{patient}"
    for more in (
        "_count=2&_sort=-date&_summary=true",
        "_count=2&_sort=date&_elements=code",
        "_count=3&_sort=value-quantity&_include=Observation:focus",
        "_summary=count",
        "_count=0",
    ):
        yield Question("GET", f"Observation?{owner}&{more}")
    yield Question("POST", "Observation/_search", f"{owner}&code={codes[0]}&_sort=date", FORM)
    for place, (type_, id_) in items.items():
        yield from _item(patient, place, type_, id_)
    yield Question("GET", "Subscription")
    yield Question("GET", f"ValueSet/$expand?url=urn:serment:labels&context=Patient/{patient}")
    yield Question("GET", "ValueSet/$expand?url=urn:serment:labels")


def _whole(patient: str, since: str) -> Iterator[Question]:
    for more in ("", f"?_since={since}"):
        yield Question("GET", f"Patient/{patient}/$everything{more}", whole=True)
    yield Question("GET", f"Patient/{patient}/$summary", whole=True)
    yield Question("GET", f"Patient/{patient}")
    for more in ("", "?_type=Observation,Consent", f"?_since={since}"):
        yield Question("GET", f"Patient/{patient}/$export{more}", headers=ASYNC, whole=True)
    for more in ("_count=2", f"_count=1&_since={since}"):
        yield Question("GET", f"Observation/_history?patient=Patient/{patient}&{more}")
    for reasons in (["LIFE_THREAT"], ["ON_CALL"]):
        yield Question("POST", f"Patient/{patient}/$emergency-access", emergency(*reasons))


def _trace(patient: str) -> Iterator[Question]:
    owner = f"patient=Patient/{patient}"
    for more in ("_count=5", "action=R&_count=3", "_summary=count", "outcome=4", "_sort=date&_count=4"):
        yield Question("GET", f"AuditEvent?{owner}&{more}", whole=True)
    yield Question("POST", "AuditEvent/_search", f"{owner}&action=C", FORM, whole=True)
    yield Question("GET", f"AuditEvent/{patient.replace('-', '')}{'0' * 32}")
    yield Question("GET", f"AuditEvent/$verify-integrity?{owner}")
    yield Question("GET", f"Patient/{patient}/$explain-access")


def _item(patient: str, place: int, type_: str, id_: str) -> Iterator[Question]:
    name = f"{type_}/{id_}"
    for path in (name, f"{name}/_history?_count=1", f"{name}/_history/1", f"{name}/_history/2"):
        yield Question("GET", path)
    yield Question("HEAD", name)
    yield Question("GET", f"Patient/{patient}/$explain-access?item={name}")
    checked = measure(patient, "8867-4", id=id_, focus=[{"reference": name}])
    yield Question("POST", f"Observation/{id_}/$validate?mode=update", checked)
    if place == 0:
        yield Question("POST", "Observation/$validate", checked)


def changing(patient: str, codes: tuple[str, ...]) -> Iterator[Question]:
    """Change a record by criteria; of an item of each place, of several by their code; then look again."""
    owner = f"patient=Patient/{patient}"
    for place in range(3):
        one = f"Observation?{owner}&identifier=urn:place%7C{place}"
        named = {"identifier": [{"system": "urn:place", "value": str(place)}]}
        yield Question("PUT", one, measure(patient, codes[0], **named))
        yield Question("PATCH", one, AMENDED, PATCH)
    for code in codes:
        many = f"{owner}&code={code}"
        yield Question("POST", "Observation", measure(patient, code), {"if-none-exist": many})
        yield Question("PUT", f"Observation?{many}", measure(patient, code))
        yield Question("PATCH", f"Observation?{many}", AMENDED, PATCH)
        yield Question("DELETE", f"Observation?{many}")
        yield Question("POST", "Subscription", subscription(patient, code))
    yield from _bundles(patient, owner, codes)
    yield from _identifying(patient)
    yield Question("GET", f"Observation?{owner}&_sort=-_lastUpdated&_total=accurate")
    yield Question("GET", f"Observation/_history?{owner}", whole=True)


def _identifying(patient: str) -> Iterator[Question]:
    """Make the gestures on who the person is, and freeze the record for a while."""
    accepted = parameters(comparison={"valueString": "x"}, compared={"valueBoolean": True})
    yield Question("POST", f"Patient/{patient}/$insi-search", "")
    yield Question("POST", f"Patient/{patient}/$insi-accept", accepted)
    yield Question("POST", f"Patient/{patient}/$identity-proof", parameters(proof=coded("PA")))
    nobody = f"Patient/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    for left, kept in ((nobody, f"Patient/{patient}"), (f"Patient/{patient}", nobody)):
        two = parameters(source_patient=referring(left), target_patient=referring(kept))
        for operation in ("$merge", "$undo-merge", "$keep-apart"):
            yield Question("POST", f"Patient/{operation}", two)
    yield Question("POST", f"Patient/{patient}/$report-collision", parameters(code=coded("COLP")))
    yield Question("POST", "Observation", measure(patient, "8867-4"))
    yield Question("POST", f"Patient/{patient}/$close-collision", "")


def _bundles(patient: str, owner: str, codes: tuple[str, ...]) -> Iterator[Question]:
    for kind in ("batch", "transaction"):
        conditional = entry(
            "POST", "Observation", measure(patient, codes[1]), ifNoneExist=f"{owner}&code={codes[1]}"
        )
        yield Question("POST", "", bundle(kind, conditional))
        yield Question("POST", "", bundle(kind, entry("DELETE", f"Observation?{owner}&code={codes[2]}")))
        yield Question(
            "POST", "", bundle(kind, entry("GET", f"Observation?{owner}&_sort=_lastUpdated&_count=2"))
        )


def reaching(patient: str, type_: str, id_: str, place: int) -> Iterator[Question]:
    """Name one item in every way that a request can: hidden or absent, the answer and the work are alike."""
    name, owner = f"{type_}/{id_}", f"patient=Patient/{patient}"
    alone, told = f"{type_}?{owner}&_id={id_}", {"resourceType": type_, "id": id_}
    sent = {**measure(patient, "8867-4"), **told} if type_ == "Observation" else _sent(type_, patient, id_)
    for path in (name, f"{name}/_history", f"{name}/_history/1", f"{name}/_history/9", alone):
        yield Question("GET", path)
    yield Question("HEAD", name)
    for headers in ({}, {"if-match": 'W/"1"'}, {"if-match": 'W/"7"'}):
        yield Question("PUT", name, sent, headers)
        yield Question("PATCH", name, GUESSED, PATCH | headers)
        yield Question("DELETE", name, headers=headers)
    own = f"Subscription/{id_}"
    yield Question("GET", own)
    yield Question("PUT", own, subscription(patient, "8867-4", id=id_), {"if-match": 'W/"1"'})
    yield Question("DELETE", own)
    yield from _by_criterion(type_, alone, sent)
    yield from _pointing(patient, name, owner, place)
    for kind in ("batch", "transaction"):
        for one in (entry("GET", name), entry("DELETE", name), entry("PUT", name, sent, ifMatch='W/"1"')):
            yield Question("POST", "", bundle(kind, one))


def reaching_content(patient: str, id_: str) -> Iterator[Question]:
    """Ask for one content in every way."""
    name, raw = f"Binary/{id_}", {"accept": "application/pdf"}
    for headers in (
        {},
        raw,
        raw | {"range": "bytes=0-3"},
        raw | {"range": "bytes=-1"},
        raw | {"range": "bytes=900-"},
        raw | {"range": "bytes=0-3", "if-range": 'W/"1"'},
        raw | {"if-none-match": 'W/"1"'},
    ):
        yield Question("GET", name, headers=headers)
        yield Question("HEAD", name, headers=headers)
        yield Question("GET", f"{name}/_history/1", headers=headers)
    yield Question("GET", f"{name}/_history")
    context = {"content-type": "application/pdf", "x-security-context": f"Patient/{patient}"}
    for headers in ({}, {"if-match": 'W/"1"'}, {"if-match": 'W/"7"'}):
        yield Question("PUT", name, "%PDF-1.7 other", context | headers)
        yield Question("DELETE", name, headers=headers)


def _sent(type_: str, patient: str, id_: str) -> Json:
    person, code = {"reference": f"Patient/{patient}"}, {"text": "sent"}
    shape: dict[str, Json] = {
        "Condition": {"code": code, "subject": person},
        "AllergyIntolerance": {"code": code, "patient": person},
        "MedicationStatement": {
            "status": "active",
            "medicationCodeableConcept": code,
            "subject": person,
        },
        "Procedure": {"status": "completed", "code": code, "subject": person},
    }
    return {"resourceType": type_, "id": id_, **shape[type_]}


def _by_criterion(type_: str, alone: str, sent: Json) -> Iterator[Question]:
    yield Question("PATCH", alone, GUESSED, PATCH)
    yield Question("DELETE", alone)
    yield Question("DELETE", alone, headers={"if-match": 'W/"1"'})
    # With a version to meet, nothing is created where nothing is met.
    yield Question(
        "PUT", alone, {key: value for key, value in sent.items() if key != "id"}, {"if-match": 'W/"1"'}
    )
    for more in ("_summary=count", "_elements=code", "_total=accurate&_count=0", "_summary=text"):
        yield Question("GET", f"{alone}&{more}")


def _pointing(patient: str, name: str, owner: str, place: int) -> Iterator[Question]:
    """Reach an item from others, or by what it alone holds."""
    yield Question("GET", f"Observation?{owner}&identifier=urn:place%7C{place}")
    yield Question("GET", f"Observation?{owner}&date=2026-01-{place + 1:02d}")
    yield Question("GET", f"Observation?{owner}&focus:Observation.identifier=urn:place%7C{place}")
    yield Question("GET", f"Observation?{owner}&_has:Observation:focus:identifier=urn:place%7C{place}")
    yield Question("GET", f"Patient?_id={patient}&_has:Observation:patient:identifier=urn:place%7C{place}")
    yield Question("GET", f"AuditEvent?{owner}&entity={name}")
    yield Question("GET", f"Patient/{patient}/$explain-access?item={name}")
    nobody = f"Patient/{'0' * 8}-0000-4000-8000-{'0' * 12}"
    split = parameters(item=referring(name), to=referring(nobody))
    yield Question("POST", f"Patient/{patient}/$split", split)
    pointing = measure(patient, "8867-4", hasMember=[{"reference": name}])
    yield Question("POST", "Observation/$validate", pointing)
    yield Question("GET", f"Provenance?{owner}&target={name}")
