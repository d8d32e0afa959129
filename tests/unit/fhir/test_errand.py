"""Tasks of ours: valid FHIR, read back as they were written, and nobody else's read as ours."""

from __future__ import annotations

import msgspec
import pytest

from serment.fhir import document, errand
from serment.fhir.errand import Asked
from serment.fhir.validate import check
from serment.model import Actor, ActorId, ActorKind, Function, Instant

AT = Instant(1_790_000_000_000)
DOCTOR = Actor(ActorId("rpps:99900001019"), ActorKind.PROFESSIONAL, "Dr A", function=Function.ASSOCIATE)
SECRETARY = Actor(ActorId("staff:s"), ActorKind.STAFF, "", function=Function.SECRETARY)

WRITTEN = {
    "deposit": (
        errand.deposit_request("p", DOCTOR, "photo", "La main gauche", AT, Instant(AT + 1)),
        Asked("deposit", "requested", "La main gauche", "Dr A", "photo"),
    ),
    "correction": (
        errand.correction_request("p", "Observation/o", "Ce n'est pas moi", AT),
        Asked("correction", "requested", "Ce n'est pas moi", "", "", "Observation/o"),
    ),
    "refused": (
        errand.correction_answer("p", "Task/t", DOCTOR, "C'est bien vous", AT, accepted=False),
        Asked("correction-answer", "rejected", "C'est bien vous", "Dr A"),
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_valid_and_read_back(name: str) -> None:
    body, said = WRITTEN[name]
    check(document.read(body))
    assert errand.asked(body) == said


def test_a_document_that_answers_names_its_request_and_who_deposits() -> None:
    body = errand.deposited("p", "Task/t", "Binary/b", "image/png", "Ma main", AT, "RelatedPerson/r")
    check(document.read(body))
    said = msgspec.json.decode(body)
    assert said["context"]["related"] == [{"reference": "Task/t"}]
    assert said["author"] == [{"reference": "RelatedPerson/r"}]


def test_a_task_of_somebody_else_is_not_ours() -> None:
    other = msgspec.json.encode({"resourceType": "Task", "status": "draft", "code": {"text": "deposit"}})
    assert errand.asked(other) is None


def test_whoever_has_no_number_and_no_name_is_named_by_function() -> None:
    assert errand.worker(SECRETARY) == {"display": "secretary"}


def test_nothing_that_was_said_shows_in_a_log() -> None:
    assert "main gauche" not in repr(WRITTEN["deposit"][1])
