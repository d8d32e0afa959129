"""A record whose packs stand on pages: each row below a page is as bound to its place as any other.

A page flipped, swapped, rolled back or taken away is found and serves nothing wrong; what is hidden in a
page and what does not exist cost the same statements, openings and traces.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from serment.errors import IntegrityError, NotFoundError
from serment.fhir import document
from serment.fhir.query import parse
from serment.fhir.subscription import DAY, Asked
from serment.record import incoming
from serment.record.asking import Asking
from serment.record.gate import View
from serment.record.subscriptions import addresses
from serment.record.subscriptions.notifying import Departure, Notifying
from tests import devices
from tests.attacks.sql import Row, Thief, flipped, found
from tests.attacks.watching import watched
from tests.doors.samples import weight
from tests.installation import Installation, run, small_installation

SENT = 2_600


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with small_installation(tmp_path_factory.mktemp("large")) as one:
        filled(one)
        yield one


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[tuple[Installation, Thief]]:
    """Lend one that is left broken."""
    with small_installation(tmp_path) as one:
        filled(one)
        thief = Thief(one)
        yield one, thief
        thief.close()


def filled(made: Installation, count: int = SENT, begun: int = 0) -> None:
    devices.send(made.house, structure(made), made.record(), count, begun)
    made.house.proving.checkpoint()


def structure(made: Installation) -> str:
    return made.store.people.people[0].structure


def view_of(made: Installation) -> View:
    passage = made.house.passage
    with passage.store.snapshot() as snapshot:
        located, _ = passage.resolve(snapshot, f"Patient/{made.record()}")
        return passage.view(snapshot, made.as_patient(), located.record)


def total(made: Installation, asking: Asking, **asked: str) -> int:
    query = parse("Observation", [("patient", made.record()), *asked.items()])
    return run(made.house.searching.search(asking, query)).total


def read(made: Installation, asking: Asking, number: int) -> bytes:
    return run(made.house.reading.read(asking, "Observation", devices.identified(made.record(), number))).body


def seen(made: Installation) -> list[object]:
    """Ask what an attack must not change: a search over the page, and items of its packs. Errors by name."""
    me = made.as_patient()
    acts: list[Callable[[], object]] = [partial(total, made, me, code=devices.CODES[0])]
    acts += [partial(read, made, me, number) for number in (0, 777, 1999)]
    return [_answer(act) for act in acts]


def _answer(act: Callable[[], object]) -> object:
    try:
        return act()
    except (IntegrityError, NotFoundError) as error:
        return type(error).__name__


def test_settled_packs_stand_on_a_page_and_the_head_stays_small(made: Installation) -> None:
    head = view_of(made).head
    assert len(head.pages) == 1
    assert len(head.pages[0].packs) >= 2_000 // 512
    assert len([ref for ref in head.packs if ref.count >= 128]) < 8


class _Taken:
    """A receiver that takes everything."""

    def carry(self, departure: Departure) -> bool:
        return bool(departure.subscription)


def test_a_notice_holds_up_the_writers_no_longer_for_a_large_record(made: Installation) -> None:
    """What is new is looked for while the store is held: the packs of years stay shut."""
    url, me = "https://hook.example/large", made.as_staff("attending")
    addresses.register(made.house.passage, "large", url, "FR")
    pairs = (("patient", made.record()),)
    wish = Asked("Observation", made.record(), "Observation", pairs, url, "", me.now + DAY, off=False)
    shown = run(made.house.subscribing.create(me, wish))
    sent = incoming.read(json.dumps(weight(made.record())).encode(), "Observation", "")
    run(made.house.writing.create(made.as_staff("attending"), sent))
    house, log = watched(made.house)
    assert Notifying(house.passage).turn(_Taken()) == 1
    assert log.count("pack_at(int, ItemClass)") < len(view_of(made).head.pages[0].packs)
    run(made.house.subscribing.delete(me, shown.id))
    addresses.remove(made.house.passage, "large")


@pytest.mark.parametrize("place", [5, 40, 200, -9], ids=["commitment", "nonce", "content", "tag"])
def test_a_bit_flipped_in_a_page_is_found_and_never_served(made: Installation, place: int) -> None:
    thief, before = Thief(made), seen(made)
    page = view_of(made).head.pages[0]
    (sealed,) = thief.rows("SELECT sealed FROM pack WHERE number = ?", page.number)[0]
    changed = flipped(sealed, place * 8)
    with thief.changed("pack", "UPDATE pack SET sealed = ? WHERE number = ?", changed, page.number):
        assert found(made)
        assert seen(made) == ["IntegrityError"] * 4
    assert seen(made) == before
    assert not found(made)
    thief.close()


def test_a_page_taken_away_is_found(made: Installation) -> None:
    thief, page = Thief(made), view_of(made).head.pages[0]
    with thief.changed("pack", "DELETE FROM pack WHERE number = ?", page.number):
        assert found(made)
        assert seen(made) == ["IntegrityError"] * 4
    assert not found(made)
    thief.close()


def test_every_pack_of_a_page_taken_away_is_found(made: Installation) -> None:
    thief, page = Thief(made), view_of(made).head.pages[0]
    for number in page.packs:
        with thief.changed("pack", "DELETE FROM pack WHERE number = ?", number):
            assert found(made)
    assert not found(made)
    thief.close()


def test_a_pack_put_in_the_place_of_its_page_does_not_open_as_one(made: Installation) -> None:
    """And the other way round: a page is no pack, though both are rows of one table under one key."""
    thief, page = Thief(made), view_of(made).head.pages[0]
    rows: dict[int, bytes] = dict(
        thief.rows("SELECT number, sealed FROM pack WHERE record = ?", thief.record())
    )
    for one, other in ((page.number, page.packs[0]), (page.packs[0], page.number), page.packs[:2]):
        with thief.changed("pack", "UPDATE pack SET sealed = ? WHERE number = ?", rows[other], one):
            assert found(made)
            assert "IntegrityError" in seen(made)
    assert not found(made)
    thief.close()


def test_a_page_rolled_back_is_found(broken: tuple[Installation, Thief]) -> None:
    """An update rewrites a pack and its page; the page before, authentic, lists what was."""
    made, thief = broken
    page = view_of(made).head.pages[0]
    old: list[Row] = thief.saved("pack", "record = ?", thief.record())
    changed(made, 0)
    now = {row[0]: row for row in thief.saved("pack", "record = ?", thief.record())}
    rewritten = [row for row in old if row[0] in now and now[row[0]] != row]
    assert page.number in [row[0] for row in rewritten]
    assert len(rewritten) == 2
    for row in rewritten:
        thief.put("pack", [row])
        assert found(made)
        thief.put("pack", [now[row[0]]])
    assert not found(made)
    thief.put("pack", rewritten)
    assert found(made)
    search, moved, *others = seen(made)
    assert [search, *others] == ["IntegrityError"] * 3
    assert isinstance(moved, bytes)  # it stands in the newest pack since, which nobody touched
    assert json.loads(moved)["status"] == "amended"


def changed(made: Installation, number: int) -> None:
    """Write a new version of a value, as the attending doctor."""
    body = json.loads(read(made, doctor(made), number)) | {"status": "amended"}
    ready = incoming.of(document.read(json.dumps(body).encode()))
    run(made.house.writing.update(doctor(made), ready, body["id"], 1))


def doctor(made: Installation) -> Asking:
    return made.store.asking(made.patient().attending.actor())


def test_what_is_hidden_on_a_page_and_what_does_not_exist_cost_the_same(made: Installation) -> None:
    """Statements, openings and traces of a stranger, of a secretary, and of an exact search."""
    known, unknown = devices.identified(made.record(), 5), "f" * 32
    for role in ("unrelated-doctor", "secretary"):
        house, log = watched(made.house)
        asked: list[list[str]] = []
        for id_ in (unknown, known):
            log.clear()
            with pytest.raises(NotFoundError):
                run(house.reading.read(made.as_staff(role), "Observation", id_))
            asked.append(sorted(log))  # the decoy's keys are asked for first, others afterwards (ADR 29)
        assert asked[0] == asked[1]
        assert asked[0]


def test_a_search_opens_the_packs_that_may_match_and_no_other(made: Installation) -> None:
    """The same statements and openings each time: what is passed over follows from the question."""
    house, log = watched(made.house)
    pairs = [("patient", made.record()), ("code", devices.CODES[1]), ("date", "2025-09-02")]
    asked: list[list[str]] = []
    for _ in range(2):
        log.clear()
        assert run(house.searching.search(doctor(made), parse("Observation", pairs))).total == 24
        asked.append(list(log))
    listed = len(view_of(made).head.pages[0].packs)
    assert asked[0] == asked[1]
    assert sum(line.startswith("pack_at") for line in asked[0]) < listed


QUESTIONS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("code", devices.CODES[0]),),
    (("code", devices.CODES[0]), ("date", "2025-09-02")),
    (("date", "2025-09-02"), ("_sort", "date")),
    (("code-value-quantity", f"{devices.CODES[0]}$gt1"),),
    (("patient.birthdate", "gt1800"),),
    (("_include", "Observation:subject"),),
)


@pytest.mark.parametrize("label", ["INVISIBLE_PATIENT", "SERMENT_TIERS"])
def test_a_hidden_series_leaves_no_sign_in_what_is_asked(tmp_path: Path, label: str) -> None:
    """The patient asks before and after two thousand values come in that they may not see, and ten more.

    Answers, statements, openings and appends are the same; the first round fetches keys and heads.
    """
    with small_installation(tmp_path) as made:
        devices.send(made.house, structure(made), made.record(), 300)
        _, before = _asked(made), _asked(made)
        devices.send(made.house, structure(made), made.record(), 2_300, 300, label)
        assert len(view_of(made).head.pages) == 1
        assert [_asked(made), _asked(made)][1] == before
        devices.send(made.house, structure(made), made.record(), 10, 2_600)
        assert _asked(made) != before


def _asked(made: Installation) -> list[object]:
    """Ask everything, and write down what was answered and what was done for it."""
    house, log = watched(made.house)
    said: list[object] = []
    for pairs in QUESTIONS:
        query = parse("Observation", [("patient", made.record()), *pairs])
        page = run(house.searching.search(made.as_patient(), query))
        said.append((page.total, [served.id for served in page.served], list(log)))
        log.clear()
    view = run(house.showing.first_view(made.as_patient(), made.record()))
    return [*said, view.totals, sorted(log)]
