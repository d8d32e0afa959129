"""A day of two programs: one that `fhirclient` makes for a patient, and the laboratory's backend service.

`fhirclient` is the client library of SMART Health IT; it begins alone, knows the address of the server only,
and asks for everything. A browser is played by hand: what a person presses stands in the page's own form.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models.condition import Condition
from fhirclient.models.observation import Observation
from fhirclient.server import FHIRPermissionDeniedException, FHIRUnauthorizedException
from joserfc.jwk import ECKey

from serment.people.clients import BACKEND, PUBLIC
from tests.doors.programs import BACK, Program, form_of, programs_of, public, registered
from tests.doors.samples import weight
from tests.doors.served import Served, served


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("smart")) as running:
        yield running


@pytest.fixture
def diary(place: Served) -> Iterator[FHIRClient]:
    """Give a program that was registered for less than it asks."""
    scopes = ("launch/patient", "patient/Patient.rs", "patient/Observation.rs", "online_access")
    client = registered(place, PUBLIC, *scopes)
    made = FHIRClient(
        {
            "app_id": client.id,
            "api_base": f"{place.address}/fhir",
            "redirect_uri": BACK,
            "scope": "patient/*.* user/*.* openid profile online_access",
        }
    )
    yield made
    made.server.session.close()


@pytest.mark.capability("1-16", "lets")
def test_a_patient_lets_a_diary_read_and_it_gets_less_than_it_asked(place: Served, diary: FHIRClient) -> None:
    assert not diary.prepare()
    person = Program(place, diary.app_id)
    browser = person.signed_in(place.patient_actor())
    asked = diary.authorize_url
    assert asked.startswith(f"{place.address}/authorize?")
    shown = browser.get(asked.removeprefix(place.address))
    sent = browser.post("/authorize/answer", data={**form_of(shown), "answer": "let"})
    diary.handle_callback(sent.headers["location"])
    assert diary.ready
    assert diary.patient_id == place.record()
    assert diary.patient.id == place.record()

    def seen() -> list[object]:
        asked = {"patient": place.record(), "code": "29463-7"}
        return list(Observation.where(asked).perform_resources_iter(diary.server))

    assert seen()
    with pytest.raises(FHIRPermissionDeniedException):
        list(Condition.where({"patient": place.record()}).perform_resources_iter(diary.server))
    with pytest.raises(FHIRPermissionDeniedException):
        diary.server.post_json("Observation", weight(place.record()))
    before = diary.server.auth.access_token
    assert diary.reauthorize()
    assert diary.server.auth.access_token != before
    assert seen()

    programs, mine = programs_of(place), place.patient_actor().id
    asking = place.installation.as_patient()
    (given,) = programs.grants.of(asking, [mine])
    programs.grants.revoke(asking, given.id, [mine])
    with pytest.raises(FHIRUnauthorizedException):
        seen()


@pytest.mark.capability("1-16", "lets")
def test_the_laboratorys_service_deposits_and_learns_nothing(place: Served) -> None:
    identity = ECKey.generate_key("P-384")
    client = registered(
        place,
        BACKEND,
        "system/Observation.cruds",
        keys=(public(identity, kid="k1"),),
        structure=place.installation.staff("attending").structure,
    )
    service = Program(place, client.id, key=ECKey.generate_key("P-256"), identity=identity)
    issued = service.token(grant_type="client_credentials", scope="system/*.cruds").json()
    assert issued["scope"] == "system/Observation.c"
    made = service.fhir(issued["access_token"], "POST", "Observation", json=weight(place.record(), 71.0))
    assert made.status_code == 201
    doctor = place.staff("team-doctor")
    assert doctor.get(f"Observation/{made.json()['id']}").status_code == 200
    for path in (f"Observation/{made.json()['id']}", f"Observation?patient={place.record()}"):
        assert service.fhir(issued["access_token"], "GET", path).status_code == 403
    trail = place.patient().get(f"AuditEvent?patient={place.record()}&_count=5").text
    assert f"client:{client.id}" in trail
