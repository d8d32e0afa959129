"""Who a demonstration command may act as."""

from __future__ import annotations

import pytest

from serment.cli import actors
from serment.errors import RequestError
from serment.model import ActorKind, Function, Purpose


def test_a_role_of_the_cast_is_somebody_of_the_practice() -> None:
    doctor = actors.actor("team-doctor")
    assert (doctor.kind, doctor.function) == (ActorKind.PROFESSIONAL, Function.ASSOCIATE)


def test_a_member_of_staff_is_named_by_id() -> None:
    doctor = actors.actor("team-doctor")
    assert actors.actor(doctor.id) == doctor


def test_a_patient_names_their_own_record_and_a_proxy_none() -> None:
    assert actors.actor("patient:1a2b").patient == "1a2b"
    assert actors.actor("patient:1a2b").kind is ActorKind.PATIENT
    assert actors.actor("proxy:1a2b").patient is None


@pytest.mark.parametrize(
    "name", ["", "nobody", "patient:", "rpps:10000000000", "service:serment", "operator:root"]
)
def test_nobody_else_is_acted_as(name: str) -> None:
    with pytest.raises(RequestError):
        actors.actor(name)


def test_everybody_has_a_usual_purpose() -> None:
    for role in actors.roles():
        assert actors.purpose(actors.actor(role), None) in Purpose


def test_an_unknown_purpose_lists_those_that_are_known() -> None:
    with pytest.raises(RequestError) as error:
        actors.purpose(actors.actor("nurse"), "CURIOSITY")
    assert "TREAT" in str(error.value)
