"""A document and its content are one for whoever may see them: masks, secrets and timers move both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from serment.model import Act, Category, ItemClass
from serment.record.asking import Asking
from tests.doors.served import Served, served
from tests.doors.test_binary import PDF, content, document, made, post, sheet
from tests.installation import run

MASKS = (
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument"
)
RAW = {"accept": "application/pdf"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("classes")) as running:
        yield running


def labelled(code: str) -> dict[str, Any]:
    return {"meta": {"security": [{"system": MASKS, "code": code}]}}


def status(client: httpx.Client, reference: str) -> int:
    return client.get(reference, headers=RAW if reference.startswith("Binary") else {}).status_code


def class_of(server: Served, reference: str) -> ItemClass:
    """Give the class that the head of the record names for an item: opens no content."""
    passage = server.house.passage
    asking: Asking = server.installation.as_staff("team-doctor")
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, reference)
        head = passage.view(snapshot, asking, located.record).head
    ref = next(ref for ref in head.packs if ref.number == located.pack)
    return head.units[ref.unit].item_class()


def mask(server: Served, reference: str) -> None:
    asking = server.installation.as_patient()
    run(server.house.choosing.mask(asking, server.installation.record(), reference))


def unmask(server: Served, reference: str) -> None:
    asking = server.installation.as_patient()
    run(server.house.choosing.unmask(asking, server.installation.record(), reference))


# Filing.


def test_content_alone_is_unfiled_until_a_document_points_to_it(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        binary = made(post(doctor, f"Patient/{server.record()}", PDF))
        alone = class_of(server, f"Binary/{binary}")
        assert (alone.category, alone.labels) == (Category.UNMAPPED, ("V",))
        sheet_id = document(doctor, server.record(), f"Binary/{binary}")
        assert status(doctor, f"Binary/{binary}") == 200
    assert class_of(server, f"Binary/{binary}") == class_of(server, f"DocumentReference/{sheet_id}")


def test_content_takes_the_class_of_the_document_in_its_security_context(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        sheet_id = document(doctor, server.record(), **labelled("INVISIBLE_PATIENT"))
        binary = made(post(doctor, f"DocumentReference/{sheet_id}", PDF))
    assert class_of(server, f"Binary/{binary}") == class_of(server, f"DocumentReference/{sheet_id}")


@pytest.mark.parametrize("owned", [True, False])
@pytest.mark.parametrize("document_first", [True, False])
def test_both_in_one_transaction_share_one_class(server: Served, document_first: bool, owned: bool) -> None:
    """The content may leave its owner to the document that comes with it."""
    with server.staff("team-doctor") as doctor:
        reference, binary = together(doctor, server, document_first=document_first, owned=owned)
    assert class_of(server, binary) == class_of(server, reference)
    mask(server, reference)
    assert class_of(server, binary).masked


def together(client: httpx.Client, server: Served, *, document_first: bool, owned: bool) -> tuple[str, str]:
    """Create a document and its content in one transaction; give their references."""
    link = "urn:uuid:11111111-1111-4111-8111-111111111111"
    file: dict[str, Any] = {"resourceType": "Binary", "contentType": "text/plain", "data": "Qm9uam91cg=="}
    if owned:
        file["securityContext"] = {"reference": f"Patient/{server.record()}"}
    entries = [entry(sheet(server.record(), link)), entry(file, link)]
    ordered = entries if document_first else entries[::-1]
    answer = client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": ordered})
    assert answer.status_code == 200, answer.text
    places = [one["response"]["location"].split("/fhir/")[1] for one in answer.json()["entry"]]
    references = ["/".join(place.split("/")[:2]) for place in places]
    return (references[0], references[1]) if document_first else (references[1], references[0])


def entry(resource: dict[str, Any], link: str = "") -> dict[str, Any]:
    named = {"fullUrl": link} if link else {}
    return {**named, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def test_content_of_several_documents_is_as_protected_as_the_most_protected(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        binary = made(post(doctor, f"Patient/{server.record()}", PDF))
        document(doctor, server.record(), f"Binary/{binary}")
        document(doctor, server.record(), f"Binary/{binary}", **labelled("INVISIBLE_PATIENT"))
    unit = class_of(server, f"Binary/{binary}")
    assert unit.category is Category.REPORT
    assert "INVISIBLE_PATIENT" in unit.labels
    assert unit.timer_end is not None


def test_a_document_that_is_relabelled_takes_its_content_along(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        binary = made(post(doctor, f"Patient/{server.record()}", PDF))
        sheet_id = document(doctor, server.record(), f"Binary/{binary}")
        stricter = sheet(server.record(), f"Binary/{binary}", id=sheet_id, **labelled("INVISIBLE_PATIENT"))
        answer = doctor.put(f"DocumentReference/{sheet_id}", json=stricter, headers={"if-match": 'W/"1"'})
        assert answer.status_code == 200, answer.text
    assert class_of(server, f"Binary/{binary}") == class_of(server, f"DocumentReference/{sheet_id}")
    assert "INVISIBLE_PATIENT" in class_of(server, f"Binary/{binary}").labels


def test_what_was_stated_on_the_content_stays_when_it_is_filed(server: Served) -> None:
    resource = {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": "Qm9uam91cg==",
        "securityContext": {"reference": f"Patient/{server.record()}"},
        **labelled("INVISIBLE_PATIENT"),
    }
    with server.staff("team-doctor") as doctor:
        binary = made(doctor.post("Binary", json=resource))
        document(doctor, server.record(), f"Binary/{binary}")
    assert class_of(server, f"Binary/{binary}").category is Category.REPORT
    assert "INVISIBLE_PATIENT" in class_of(server, f"Binary/{binary}").labels


# Masks, secrets, timers.


@pytest.mark.capability("4-04", "refuses")
@pytest.mark.parametrize("by_context", [True, False])
def test_masking_a_document_hides_its_content_and_unmasking_shows_it(
    server: Served, by_context: bool
) -> None:
    with server.staff("attending") as author, server.staff("team-doctor") as doctor:
        sheet_id, binary = filed(author, server, by_context=by_context)
        assert status(doctor, binary) == 200
        mask(server, sheet_id)
        assert (status(doctor, sheet_id), status(doctor, binary)) == (404, 404)
        with server.patient() as patient:
            assert status(patient, binary) == 200
        unmask(server, sheet_id)
        assert (status(doctor, sheet_id), status(doctor, binary)) == (200, 200)


def filed(author: httpx.Client, server: Served, *, by_context: bool = False, **more: Any) -> tuple[str, str]:
    """File a document with its content; give both references."""
    if by_context:
        sheet_id = document(author, server.record(), **more)
        binary = made(post(author, f"DocumentReference/{sheet_id}", content(300_000)))
    else:
        binary = made(post(author, f"Patient/{server.record()}", content(300_000)))
        sheet_id = document(author, server.record(), f"Binary/{binary}", **more)
    return f"DocumentReference/{sheet_id}", f"Binary/{binary}"


def test_masking_both_in_any_order_is_one_mask_each(server: Served) -> None:
    with server.staff("attending") as author, server.staff("team-doctor") as doctor:
        sheet_ref, binary = filed(author, server)
        mask(server, binary)
        assert (status(doctor, sheet_ref), status(doctor, binary)) == (200, 404)
        mask(server, sheet_ref)
        unmask(server, sheet_ref)
        assert (status(doctor, sheet_ref), status(doctor, binary)) == (200, 404)
        unmask(server, binary)
        assert status(doctor, binary) == 200


@pytest.mark.capability("0-17", "refuses")
def test_content_filed_under_a_masked_document_is_masked_at_once(server: Served) -> None:
    with server.staff("attending") as author, server.staff("team-doctor") as doctor:
        sheet_ref, _ = filed(author, server)
        mask(server, sheet_ref)
        binary = made(post(author, sheet_ref, PDF))
        assert status(doctor, f"Binary/{binary}") == 404
        refused = post(doctor, sheet_ref, PDF)
    assert refused.status_code == 403


def test_an_announcement_timer_on_a_document_hides_its_content_from_the_patient(server: Served) -> None:
    with server.staff("team-doctor") as doctor, server.patient() as patient:
        sheet_ref, binary = filed(doctor, server, **labelled("INVISIBLE_PATIENT"))
        assert (status(doctor, binary), status(patient, sheet_ref), status(patient, binary)) == (
            200,
            404,
            404,
        )


def test_a_minor_s_secret_on_a_document_hides_its_content_from_the_parent(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        sheet_ref, binary = filed(doctor, server, **labelled("INVISIBLE_REPRESENTANTS_LEGAUX"))
    assert "INVISIBLE_REPRESENTANTS_LEGAUX" in class_of(server, binary).labels
    assert class_of(server, binary) == class_of(server, sheet_ref)


# Attacks.


def test_nobody_uncovers_content_by_pointing_at_it(server: Served) -> None:
    """A document of the thief's own names content that is masked for the thief."""
    with server.staff("attending") as author, server.staff("team-doctor") as doctor:
        sheet_ref, binary = filed(author, server)
        mask(server, sheet_ref)
        answer = doctor.post("DocumentReference", json=sheet(server.record(), binary))
        assert answer.status_code == 201
        assert status(doctor, binary) == 404
        unknown = doctor.post("DocumentReference", json=sheet(server.record(), "Binary/nothing"))
    assert class_of(server, binary).masked
    assert (answer.status_code, answer.headers.keys()) == (unknown.status_code, unknown.headers.keys())


def test_content_of_another_patient_is_never_filed(server: Served) -> None:
    with server.staff("team-doctor") as doctor:
        binary = made(post(doctor, f"Patient/{server.record()}", PDF))
        other = next(one for one in server.installation.store.ids.values() if one != server.record())
        doctor.post("DocumentReference", json=sheet(other, f"Binary/{binary}"))
    assert class_of(server, f"Binary/{binary}").category is Category.UNMAPPED


# Deposit by filing.


def test_a_secretary_files_a_document_and_does_not_read_it(server: Served) -> None:
    with server.staff("secretary") as secretary:
        sheet_id = document(secretary, server.record())
        binary = made(post(secretary, f"DocumentReference/{sheet_id}", PDF))
    unit = class_of(server, f"Binary/{binary}")
    assert unit == class_of(server, f"DocumentReference/{sheet_id}")
    colleague = server.installation.as_staff("team-doctor")
    with server.staff("team-doctor") as doctor:
        assert status(doctor, f"Binary/{binary}") == 200
    assert Act.FILE in server.house.passage.policy.own_cell("secretary", unit)
    assert Act.READ not in server.house.passage.policy.own_cell("secretary", unit)
    assert colleague.actor.id != unit.author
