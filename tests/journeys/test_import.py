"""An import of what others wrote: all of it stands or is in quarantine, and the same again meets itself."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serment.errors import IntegrityError, NotFoundError, RequestError
from serment.intake import import_
from serment.intake.import_ import prepare
from serment.intake.import_.report import ImportProgress, ImportReport
from serment.model import ActorId
from serment.record import incoming
from serment.record.imports import quarantining
from serment.record.imports.importing import Importing
from tests.installation import Installation, bare_installation, run
from tests.vectors import MISSING, VECTORS

STRUCTURE = "cabinet-des-tilleuls"
SOURCE = "former-software"
VITAL = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with bare_installation(tmp_path_factory.mktemp("import")) as made:
        yield made


def imported(made: Installation, source: Path, name: str = SOURCE) -> ImportReport:
    return import_.run(made.house, source, import_.service(made.house, STRUCTURE), name=name)


def lines(path: Path, *resources: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    return path


def patient(key: str, **more: object) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": key, "birthDate": "1950-02-03", **more}


def observation(key: str, of: str, value: float = 1.0) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": key,
        "status": "final",
        "category": [{"coding": [{"system": VITAL, "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}], "text": "a measure"},
        "subject": {"reference": f"Patient/{of}"},
        "valueQuantity": {"value": value},
    }


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.already, report.quarantined


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
@pytest.mark.capability("0-05", "lets")
def test_all_of_synthea_stands_and_a_second_import_meets_itself(house: Installation) -> None:
    first = imported(house, VECTORS / "synthea", "synthea")
    assert (first.files, first.received, first.stored, first.quarantined) == (23, 2570, 2570, 0)
    assert first.unresolved == 0
    again = imported(house, VECTORS / "synthea", "synthea")
    assert counts(again) == (0, 0, 2570, 0)
    house.house.proving.checkpoint()
    assert house.house.proving.verify().ok


@pytest.mark.skipif(not VECTORS.exists(), reason=MISSING)
def test_the_official_examples_stand_or_are_in_quarantine_with_a_reason(house: Installation) -> None:
    report = imported(house, VECTORS / "fhir-r4-examples", "examples")
    assert report.received == 634 == report.stored + report.quarantined
    assert sum(report.reasons.values()) == report.quarantined
    assert set(report.reasons) <= {
        "access.audit-event",
        "fhir.belongs-to-nobody",
        "fhir.narrative-attribute",
        "fhir.no-patient",
        "fhir.several-patients",
        "fhir.wrong-target",
        "importing.mistyped",
        "importing.not-permitted",
        "importing.owner-missing",
    }
    assert counts(imported(house, VECTORS / "fhir-r4-examples", "examples"))[2:] == (
        report.stored,
        report.quarantined,
    )


def known_to(house: Installation, role: str) -> list[dict[str, Any]]:
    """Name a professional as the general practitioner."""
    number = house.staff(role).id.removeprefix("rpps:")
    return [{"identifier": {"system": "https://rpps.esante.gouv.fr", "value": number}}]


def test_numbers_and_every_byte_but_id_meta_and_links_stand(house: Installation, tmp_path: Path) -> None:
    gp = json.dumps(known_to(house, "attending"))
    before = '{"resourceType":"Patient","id":"n1", "_birthDate":{"id":"\\u00e9"},"extension":[{"url":"urn:x"'
    after = ',"valueDecimal":1.00}],  "generalPractitioner":' + gp + "}"
    (tmp_path / "one.ndjson").write_text(before + after)
    assert imported(house, tmp_path / "one.ndjson", "numbers").created == 1
    id_ = Importing(house.house.passage).id_of("numbers", "Patient", "n1")
    body = run(house.house.reading.read(house.as_staff("attending"), "Patient", id_)).body.decode()
    assert body.endswith(after)
    assert f'"id":"{id_}", "_birthDate":{{"id":"\\u00e9"}}' in body


@pytest.mark.capability("0-05", "refuses")
def test_a_dropped_resource_stops_the_import_before_it_says_done(
    house: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepare.made

    def dropping(*given: Any) -> prepare.Made:
        made = whole(*given)
        return replace(made, arrivals=made.arrivals[:-1])

    source = lines(tmp_path / "d.ndjson", patient("d1"), observation("d2", "d1"), observation("d3", "d1"))
    monkeypatch.setattr(prepare, "made", dropping)
    with pytest.raises(IntegrityError, match="do not add up"):
        imported(house, source, "dropping")


def test_the_same_file_twice_in_a_folder_is_taken_in_once(house: Installation, tmp_path: Path) -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient("same")}]}
    for name in ("a.json", "b.json", "c.json"):
        (tmp_path / name).write_text(json.dumps(bundle))
    report = imported(house, tmp_path, "same")
    assert (report.files, report.received, counts(report)) == (3, 3, (1, 0, 2, 0))


def test_what_came_before_its_patient_is_filed_before_the_end(house: Installation, tmp_path: Path) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": observation("e1", "late")}],
    }
    (tmp_path / "a.json").write_text(json.dumps(bundle))
    bundle["entry"] = [{"resource": patient("late")}]
    (tmp_path / "b.json").write_text(json.dumps(bundle))
    assert counts(imported(house, tmp_path, "late")) == (2, 0, 0, 0)


def test_lines_may_come_in_any_order_packed_or_not(house: Installation, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "x.ndjson.gz", "wt") as file:
        file.write(json.dumps(observation("o1", "p1")) + "\n\n" + json.dumps(patient("p1")) + "\n")
    assert counts(imported(house, tmp_path, "packed")) == (2, 0, 0, 0)


def test_a_changed_resource_is_a_new_version_and_the_old_one_is_kept(
    house: Installation, tmp_path: Path
) -> None:
    source = lines(tmp_path / "v.ndjson", patient("v1"), observation("v2", "v1", 1.0))
    imported(house, source, "versions")
    lines(source, patient("v1"), observation("v2", "v1", 2.0))
    assert counts(imported(house, source, "versions")) == (0, 1, 1, 0)
    assert counts(imported(house, source, "versions")) == (0, 0, 2, 0)


def test_what_somebody_changed_here_is_not_overwritten(house: Installation, tmp_path: Path) -> None:
    gp = known_to(house, "attending")
    source = lines(tmp_path / "h.ndjson", patient("h1", generalPractitioner=gp), observation("h2", "h1", 1.0))
    imported(house, source, "here")
    id_ = Importing(house.house.passage).id_of("here", "Observation", "h2")
    asking = house.as_staff("attending")
    served = run(house.house.reading.read(asking, "Observation", id_))
    changed = incoming.read(served.body.replace(b"a measure", b"a better measure"))
    assert run(house.house.writing.update(asking, changed, id_, 1)).version == 2
    lines(source, patient("h1", generalPractitioner=gp), observation("h2", "h1", 9.0))
    report = imported(house, source, "here")
    assert report.reasons == {"importing.changed-here": 1}
    assert b"a better measure" in run(house.house.reading.read(asking, "Observation", id_)).body


def test_nobody_is_the_author_of_what_was_imported(house: Installation, tmp_path: Path) -> None:
    imported(house, lines(tmp_path / "a.ndjson", patient("a1"), observation("a2", "a1")), "authors")
    id_ = Importing(house.house.passage).id_of("authors", "Patient", "a1")
    passage, asking = house.house.passage, import_.service(house.house, STRUCTURE)
    with passage.store.snapshot() as snapshot:
        view = passage.view(snapshot, asking, passage.resolve(snapshot, f"Patient/{id_}")[0].record)
    assert {unit.author for unit in view.head.classes()} == {ActorId("")}
    assert (view.facts.team, view.facts.mandates, view.facts.attending) == ((), (), ())


@pytest.mark.capability("0-17", "refuses")
@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("application/pdf", "TVqQAAMAAAAEAAAA"),
        ("image/png", "PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIj4="),
        ("text/html", "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="),
        ("application/octet-stream", "f0VMRgIBAQAAAAAA"),
    ],
)
def test_a_file_that_runs_or_lies_goes_to_quarantine(
    house: Installation, tmp_path: Path, content_type: str, data: str
) -> None:
    attachment = {"contentType": content_type, "data": data}
    document = {
        "resourceType": "DocumentReference",
        "id": "f2",
        "status": "current",
        "subject": {"reference": "Patient/f1"},
        "content": [{"attachment": attachment}],
    }
    report = imported(house, lines(tmp_path / "f.ndjson", patient("f1"), document), f"files/{data}")
    assert (report.stored, report.quarantined) == (1, 1)
    assert set(report.reasons) <= {"importing.active-content", "importing.mistyped"}


def test_the_quarantine_lists_no_content_and_opens_to_its_service_only(
    house: Installation, tmp_path: Path
) -> None:
    imported(house, lines(tmp_path / "q.ndjson", observation("q2", "q1")), "quarantined")
    asking = import_.service(house.house, STRUCTURE)
    (line,) = [one for one in import_.listed(house.house, asking) if one.source == "quarantined"]
    assert (line.type, line.reason) == ("Observation", "importing.owner-missing")
    assert quarantining.opened(house.house.passage, asking, [line.name])
    for role in ("attending", "secretary", "officer"):
        with pytest.raises(RequestError):
            import_.listed(house.house, house.as_staff(role))
        assert quarantining.opened(house.house.passage, house.as_staff(role), [line.name]) == []


def test_what_waited_for_its_patient_is_filed_when_tried_again(house: Installation, tmp_path: Path) -> None:
    imported(house, lines(tmp_path / "o.ndjson", observation("r2", "r1")), "retried")
    imported(house, lines(tmp_path / "p.ndjson", patient("r1")), "retried")
    asking = import_.service(house.house, STRUCTURE)
    done = import_.retry(house.house, asking, source="retried")
    assert (done.tried, done.filed) == (1, 1)
    assert [one for one in import_.listed(house.house, asking) if one.source == "retried"] == []
    assert counts(imported(house, tmp_path / "o.ndjson", "retried")) == (0, 0, 1, 0)
    house.house.proving.checkpoint()
    assert house.house.proving.verify().ok


def test_a_file_that_breaks_off_is_said_to(house: Installation, tmp_path: Path) -> None:
    whole = gzip.compress("".join(json.dumps(patient(f"b{n}")) + "\n" for n in range(500)).encode())
    (tmp_path / "cut.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    report = imported(house, tmp_path, "cut")
    assert report.reasons["importing.file-broken"] == 1
    assert report.received == report.stored + report.quarantined


def test_a_stranger_to_the_structure_or_to_the_task_imports_nothing(
    house: Installation, tmp_path: Path
) -> None:
    source = lines(tmp_path / "s.ndjson", patient("s1"))
    with pytest.raises(RequestError):
        import_.run(house.house, source, house.as_staff("attending"))
    with pytest.raises(RequestError):
        import_.run(house.house, source, import_.service(house.house, ""))


def test_an_import_of_another_structure_changes_no_record_here(house: Installation, tmp_path: Path) -> None:
    source = lines(tmp_path / "t.ndjson", patient("t1"))
    imported(house, source, "ours")
    more = lines(tmp_path / "t2.ndjson", observation("t2", "t1"))
    report = import_.run(house.house, more, import_.service(house.house, "cabinet-du-marche"), name="ours")
    assert report.reasons == {"importing.not-permitted": 1}


def test_progress_is_told_in_bytes_with_rate_and_time_left(house: Installation, tmp_path: Path) -> None:
    told: list[ImportProgress] = []
    source = lines(tmp_path / "p.ndjson", *(patient(f"g{n}") for n in range(3)))
    import_.run(
        house.house, source, import_.service(house.house, STRUCTURE), name="told", progress=told.append
    )
    assert told[-1].done == told[-1].total == 2 * source.stat().st_size
    assert told[-1].resources == 3
    assert ImportProgress(50, 100, 10, 2.0).left == 2.0
    assert ImportProgress(50, 100, 10, 2.0).rate == 5.0


def test_what_is_not_in_quarantine_is_not_taken_out(house: Installation) -> None:
    asking = import_.service(house.house, STRUCTURE)
    assert quarantining.opened(house.house.passage, asking, ["00" * 16]) == []
    with pytest.raises(NotFoundError):
        run(house.house.reading.read(house.as_staff("attending"), "Quarantine", "00" * 16))
