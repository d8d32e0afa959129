"""One-time links: guessed, tried again, raced, kept, and opened after the patient said no."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from serment.errors import ConflictError, NotFoundError, RefusedError, RequestError, SermentError, SignInError
from serment.model import Instant
from serment.record.asking import Asking
from serment.record.outward import links
from serment.record.outward.links import DAY, TRIES, Handed
from serment.record.today import KEEPER
from tests.attacks.test_chart_hidden import SHEET, masked, write
from tests.installation import Installation, installation, run


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("links")) as one:
        yield one


def given(
    made: Installation, asking: Asking, item: str, *, uses: int = 1, days: int = 7, agreed: bool = True
) -> Handed:
    links = made.house.links
    run(links.check(asking, made.record(), [item], days, uses, agreed=agreed))
    return links.make(asking, made.record(), [item], days, uses)


def nobody(made: Installation) -> Asking:
    return replace(made.as_patient(), actor=KEEPER)


def opens(made: Installation, handed: Handed, passcode: str = "", *, later: int = 0) -> bool:
    asking = nobody(made)
    asking = replace(asking, now=Instant(asking.now + later))
    try:
        opening = made.house.links.open(asking, handed.secret, passcode or handed.passcode)
        run(made.house.links.served(opening))
    except (SignInError, NotFoundError):
        return False
    return True


@pytest.mark.capability("2-02", "refuses")
def test_a_link_opens_as_often_as_it_was_given_and_not_once_more(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET), uses=2)
    assert [opens(made, handed) for _ in range(3)] == [True, True, False]


@pytest.mark.capability("0-19", "refuses")
def test_two_who_open_at_the_same_moment_are_one(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET))
    asking = nobody(made)

    def spend(_place: int) -> bool:
        try:
            made.house.links.open(asking, handed.secret, handed.passcode)
        except SignInError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(spend, range(4))) == 1


@pytest.mark.capability("0-19", "refuses")
def test_guessed_passcodes_end_the_link_for_the_right_one_too(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET))
    wrong = "0" * 8 if handed.passcode != "0" * 8 else "1" * 8
    assert not any(opens(made, handed, wrong) for _ in range(TRIES))
    assert not opens(made, handed)


def test_an_unknown_address_a_wrong_passcode_and_a_link_that_is_over_say_the_same(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET))
    said = []
    for secret, passcode in (("x" * 32, "1"), (handed.secret, "no"), (handed.secret, handed.passcode)):
        if passcode == handed.passcode:
            opens(made, handed)
        with pytest.raises(SignInError) as refused:
            made.house.links.open(nobody(made), secret, passcode)
        said.append((refused.value.sentence, refused.value.parameters))
    assert len({str(one) for one in said}) == 1


@pytest.mark.capability("2-02", "refuses")
def test_a_link_is_over_at_its_end_and_a_clock_put_forward_opens_none(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET), days=1)
    assert not opens(made, handed, later=DAY + 60_000)
    assert opens(made, handed)


@pytest.mark.capability("4-04", "refuses")
def test_a_link_of_a_colleague_dies_with_the_word_of_the_patient(made: Installation) -> None:
    """Masked after the link was given: it was never content, so there is nothing left to open."""
    item = write(made, SHEET)
    handed = given(made, made.as_staff("team-doctor"), item, uses=2)
    assert opens(made, handed)
    run(made.house.choosing.mask(made.as_patient(), made.record(), item))
    assert not opens(made, handed)


@pytest.mark.capability("2-02", "refuses")
def test_what_is_hidden_is_not_shared_and_says_what_absence_says(made: Installation) -> None:
    asking, said = made.as_staff("team-doctor"), []
    for item in (masked(made, SHEET), "DocumentReference/00000000-0000-4000-8000-000000000000"):
        with pytest.raises(NotFoundError) as refused:
            given(made, asking, item)
        said.append(refused.value.sentence)
    assert said == ["record.not-found"] * 2


@pytest.mark.capability("2-02", "refuses")
@pytest.mark.parametrize("days", [0, -1, 32, 10**6])
def test_no_share_is_without_an_end(made: Installation, days: int) -> None:
    with pytest.raises(RequestError):
        given(made, made.as_patient(), write(made, SHEET), days=days)


@pytest.mark.capability("3-02", "refuses")
def test_nobody_shares_without_the_patients_agreement_or_without_a_name_of_their_own(
    made: Installation,
) -> None:
    item = write(made, SHEET)
    with pytest.raises(RefusedError):
        given(made, made.as_staff("attending"), item, agreed=False)
    for role in ("secretary", "officer", "researcher"):
        with pytest.raises(SermentError):
            given(made, made.as_staff(role), item)


def test_neither_address_nor_passcode_stands_on_the_disk(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET))
    for path in made.settings.directory.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert handed.secret.encode() not in raw, path.name
            assert handed.passcode.encode() not in raw, path.name


def test_neither_address_nor_passcode_shows_in_a_repr(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET))
    assert handed.secret not in repr(handed)
    assert handed.passcode not in repr(handed)


def test_a_stranger_ends_no_link(made: Installation) -> None:
    handed = given(made, made.as_patient(), write(made, SHEET))
    for role in ("team-doctor", "unrelated-doctor"):
        with pytest.raises(NotFoundError):
            made.house.links.end(made.as_staff(role), handed.id)
    assert opens(made, handed)


def test_each_opening_is_in_the_list_of_the_patient(made: Installation) -> None:
    def told() -> int:
        trail = run(made.house.proving.trail(made.as_patient(), made.record()))
        return sum(1 for body in trail if body.event.recipient == "one-time-link")

    handed = given(made, made.as_staff("attending"), write(made, SHEET))
    before = told()
    assert opens(made, handed)
    assert told() == before + 1


def test_many_links_push_none_that_stands_out_of_the_sight_of_the_patient(
    made: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is listed no more could be ended no more."""
    item, me = write(made, SHEET), made.as_patient()
    for id_, _ in made.house.links.of_record(me, made.record()):
        made.house.links.end(me, id_)
    first = given(made, made.as_staff("attending"), item)
    standing = len(made.house.links.of_record(me, made.record()))
    monkeypatch.setattr(links, "MOST_KEPT", standing + 1)
    given(made, made.as_staff("team-doctor"), item)
    listed = [given(made, made.as_staff("team-doctor"), item).id for _ in range(standing - 1)]
    with pytest.raises(ConflictError):
        given(made, made.as_staff("team-doctor"), item)
    found = [id_ for id_, link in made.house.links.of_record(me, made.record()) if link.stands(me.now)]
    assert {first.id, *listed} <= set(found)
    assert len(found) == standing + 1
    made.house.links.end(me, first.id)
    assert not opens(made, first)
    assert given(made, made.as_staff("team-doctor"), item)
