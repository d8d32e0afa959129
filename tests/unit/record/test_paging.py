"""Series and pages: how the packs of a large record are cut, and what is asked of them answered as before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from serment.errors import GoneError
from serment.fhir import document, search
from serment.fhir.query import parse
from serment.model import Act, Category
from serment.record import gate, incoming
from serment.record.asking import Asking
from serment.record.gate import Pack
from serment.record.index import PACK_SIZE, Entry, Head, decode_head
from serment.record.paging import DISSOLVED, MOST_ENTRIES, SETTLED, series
from tests import devices
from tests.installation import Installation, run, small_installation

SENT = 2_600
DAY = 86_400_000


def entry(number: int, patient: str = "p") -> Entry:
    resource = json.loads(devices.measured(patient, number))
    values = msgspec.Raw(search.index(resource))
    return Entry("Observation", f"{number}", 1, "", 1, False, number, b"", None, values)


def test_a_series_holds_whole_days_of_one_code_or_of_few() -> None:
    groups = list(series([entry(number) for number in range(2_400)]))
    days = [{(int(one.id) % 10, int(one.id) // 240) for one in group} for group in groups]
    assert all(not (some & others) for some in days for others in days if some is not others)
    assert all(SETTLED <= len(group) <= MOST_ENTRIES for group in groups[:-1])
    assert max(len({code for code, _ in some}) for some in days) == 2


def test_a_day_of_a_value_every_few_minutes_stays_whole() -> None:
    assert [len(group) for group in series([entry(0)] * 288 + [entry(240)] * 288)] == [288, 288]


def test_a_day_with_more_values_than_a_pack_holds_is_cut() -> None:
    assert [len(group) for group in series([entry(0)] * 1_200)] == [MOST_ENTRIES, MOST_ENTRIES, 176]


def test_entries_that_are_deleted_have_a_place_too() -> None:
    gone = Entry("Observation", "x", 2, "", 5, True, 0, b"", None, msgspec.Raw(msgspec.msgpack.encode({})))
    assert list(series([gone])) == [[gone]]


def test_a_head_from_before_there_were_pages_is_read() -> None:
    unit = ["vitals", "Observation", ["N"], "", False, None]
    old = msgspec.msgpack.encode(["p", 3, 2, b"t" * 16, [unit], [[7, b"t" * 16, 2, 0]], b""])
    head = decode_head(old)
    assert (head.pages, head.page_of(7), head.unit_of(8)) == ((), None, None)
    assert head.unit_of(7) == head.units[0]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder: Path = tmp_path_factory.mktemp("paging")
    with small_installation(folder) as one:
        devices.send(one.house, one.store.people.people[0].structure, one.record(), SENT)
        yield one


def doctor(made: Installation) -> Asking:
    return made.store.asking(made.patient().attending.actor())


def found(made: Installation, **asked: str) -> int:
    pairs = [("patient", made.record()), *((name.replace("__", ":"), text) for name, text in asked.items())]
    return run(made.house.searching.search(doctor(made), parse("Observation", pairs))).total


def standing(made: Installation) -> tuple[Head, list[Pack]]:
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{made.record()}")
        view = passage.view(snapshot, doctor(made), located.record)
        return view.head, gate.listing(snapshot, view, gate.permitted(view, Act.READ))


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ({"code": devices.CODES[0]}, 260),
        ({"code": f"http://loinc.org|{devices.CODES[9]}", "date": "2025-09-03"}, 24),
        ({"code": "0000-0"}, 0),
        ({"date": "2025-09-11"}, 200),
        ({"date": "2024"}, 0),
        ({"date": "lt2025-09-01T05:00:00Z"}, 50),
        ({"code-value-quantity": f"{devices.CODES[0]}$60"}, 65),
        ({"combo-code-value-quantity": f"{devices.CODES[0]}$60"}, 65),
        ({"code__not": devices.CODES[0], "date": "2025-09-02"}, 216),
        ({"value-quantity": "60", "date": "2025-09-02,2025-09-04"}, 12),
    ],
)
def test_a_search_finds_what_stands_on_pages_and_beside_them(
    made: Installation, asked: dict[str, str], total: int
) -> None:
    assert found(made, **asked) == total


def test_a_chain_finds_what_stands_on_pages(made: Installation) -> None:
    birth = json.loads(run(made.house.reading.read(doctor(made), "Patient", made.record())).body)["birthDate"]
    assert found(made, code=devices.CODES[0], **{"patient.birthdate": birth}) == 260


def test_a_first_view_counts_what_it_does_not_open(made: Installation) -> None:
    view = run(made.house.showing.first_view(doctor(made), made.record()))
    assert view.totals[Category.VITALS] >= SENT
    assert len(view.groups[Category.VITALS]) == 6


def test_items_of_a_page_are_changed_deleted_and_read_back(made: Installation) -> None:
    """So many are changed that one pack falls below its least size: what is left joins the newest again."""
    head, packs = standing(made)
    code = devices.CODES[3]
    whole = found(made, code=code)
    mine = [number for number in range(2_000) if devices.CODES[number % 10] == code]
    for number in mine[:-1]:
        amend(made, number)
    run(made.house.writing.delete(doctor(made), "Observation", devices.identified(made.record(), mine[-1])))
    after, left = standing(made)
    assert found(made, code=code) == whole - 1
    assert found(made, status="amended") == len(mine) - 1
    assert all(pack.listed.count >= DISSOLVED for pack in left if pack.listed is not None)
    assert len(after.pages[0].packs) < len(head.pages[0].packs)
    assert len(left) < len(packs) + 10
    with pytest.raises(GoneError):
        read(made, mine[-1])
    assert json.loads(read(made, mine[0]))["meta"]["versionId"] == "2"
    assert made.house.proving.examine().ok


def amend(made: Installation, number: int) -> None:
    body = json.loads(read(made, number)) | {"status": "amended"}
    ready = incoming.of(document.read(json.dumps(body).encode()))
    run(made.house.writing.update(doctor(made), ready, body["id"], 1))


def read(made: Installation, number: int) -> bytes:
    id_ = devices.identified(made.record(), number)
    return run(made.house.reading.read(doctor(made), "Observation", id_)).body


def test_pages_fill_up_before_others_begin(made: Installation) -> None:
    devices.send(made.house, made.store.people.people[0].structure, made.record(), 12_000, SENT)
    head, packs = standing(made)
    assert len(head.pages) == 2
    assert len([pack for pack in packs if pack.listed is None]) < 40
    assert found(made, code=devices.CODES[0]) == (SENT + 12_000) // 10
    assert max(pack.listed.count for pack in packs if pack.listed is not None) <= 2 * PACK_SIZE
    assert made.house.proving.examine().ok
