"""The public directory is loaded as it is given: professionals by IDNPS, their places, their structures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from serment.intake.import_ import run, service
from serment.model import ActorId
from tests.doors.served import served
from tests.unit.identity.test_directory import HERE, MARIE, OMAR, organization, practitioner, role


def test_a_file_of_the_directory_is_loaded_and_its_professionals_are_found_by_rpps(tmp_path: Path) -> None:
    resources = [
        organization("o", HERE),
        practitioner("a", MARIE),
        practitioner("b", OMAR, "60"),
        role("ra", "a", "o"),
        role("rb", "b", "o"),
    ]
    folder = tmp_path / "annuaire"
    folder.mkdir()
    entries = [{"fullUrl": f"urn:x:{one['id']}", "resource": one} for one in resources]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    (folder / "annuaire.json").write_text(json.dumps(bundle), "utf-8")
    with served(tmp_path / "served") as server:
        structure = server.installation.staff("team-doctor").structure
        report = run(server.house, folder, service(server.house, structure))
        assert (report.received, report.stored, report.quarantined) == (5, 5, 0)
        doctor = server.staff("team-doctor")
        found = doctor.get("Practitioner", params={"identifier": f"8{MARIE}"}).json()
        assert found["total"] == 1
        person = found["entry"][0]["resource"]["id"]
        places = doctor.get("PractitionerRole", params={"practitioner": f"Practitioner/{person}"}).json()
        assert places["total"] == 1
        seen = doctor.get(places["entry"][0]["resource"]["organization"]["reference"]).json()
        assert seen["identifier"][0]["value"] == f"1{HERE}"
        visit = {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": f"Patient/{server.record()}"},
            "participant": [{"individual": {"reference": f"Practitioner/{person}"}}],
            "period": {"start": "2026-11-20T10:00:00Z"},
        }
        assert doctor.post("Encounter", json=visit).status_code == 201
        named = server.installation.staff("unrelated-doctor")
        there = replace(named, id=ActorId(f"rpps:{MARIE}"), structure=structure)
        assert server.client(there).get(f"Patient/{server.record()}").status_code == 200
        server.hang_up()
