"""Attacks on signing in by an identity provider, at the doors, against a provider that runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from serment.demo.people import ATTENDING, LOCUM
from serment.demo.provider import Realm, Visitor, psc_claims, subject_of
from serment.door.browser import SESSION
from serment.errors import ConflictError, SignInError
from serment.people.accounts import Account, Exercise
from serment.people.providers import PSC_SCOPE, Kind
from tests.attacks.openid_house import (
    OFFICER_SUBJECT,
    PATIENT_SUBJECT,
    SUBJECT,
    TWO,
    Claims,
    House,
    hidden,
    open_house,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("openid")) as made:
        yield made


@pytest.fixture
def house(running: House) -> Iterator[House]:
    yield running
    running.provider.honest()
    running.server.hang_up()


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert SESSION not in answer.cookies


@pytest.mark.capability("0-06", "lets")
def test_a_professional_signs_in_and_acts_under_their_own_name(house: House) -> None:
    browser = house.new_browser()
    answer = house.sign_in(browser, SUBJECT, to=f"/record/{house.server.record()}")
    assert answer.headers["location"] == f"/record/{house.server.record()}"
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert "Vasselin" in page.text


def test_each_provider_lets_in_those_whom_it_knows(house: House) -> None:
    for subject, realm, page in ((PATIENT_SUBJECT, "patients", "/me"), (OFFICER_SUBJECT, "site", "/officer")):
        browser = house.new_browser()
        house.sign_in(browser, subject, realm)
        assert browser.get(page).status_code == 200


def test_one_exercise_is_chosen_and_rules_the_session(house: House) -> None:
    browser = house.new_browser()
    page = house.back(browser, TWO)
    assert (page.status_code, page.text.count('name="exercise"')) == (200, 2)
    assert SESSION not in browser.cookies
    form = {"csrf": hidden(page.text, "csrf"), "exercise": "2"}
    answer = browser.post("/openid/choose", data=form)
    assert answer.status_code == 303
    secret = browser.cookies[SESSION]
    device = browser.cookies["serment-device"]
    now = house.server.house.passage.clock()
    actor = house.server.house.sessions.open(secret, now, device).actor
    assert (actor.function.value, actor.structure) == ("hospital-doctor", "hopital-bourg-tilleul-medecine")


@pytest.mark.parametrize("exercise", ["", "3", "1 OR 1"])
def test_an_exercise_that_was_not_offered_is_refused(house: House, exercise: str) -> None:
    browser = house.new_browser()
    page = house.back(browser, TWO)
    refused(browser.post("/openid/choose", data={"csrf": hidden(page.text, "csrf"), "exercise": exercise}))


@pytest.mark.capability("0-06", "refuses")
def test_a_stranger_with_a_true_rpps_is_told_whom_to_ask(house: House) -> None:
    answer = house.back(house.new_browser(), subject_of(LOCUM))
    refused(answer)
    assert "Adressez-vous à la personne qui gère les accès" in answer.text
    assert LOCUM.family not in answer.text


def test_a_patient_is_never_known_by_a_name(house: House) -> None:
    refused(house.back(house.new_browser(), "nobody", "patients"))


def test_a_code_that_was_used_opens_nothing_again(house: House) -> None:
    browser = house.new_browser()
    address = house.click(house.away(browser), SUBJECT)
    kept = dict(browser.cookies)
    assert browser.get(address).status_code == 200
    thief = house.new_browser()
    thief.cookies.update(kept)
    refused(thief.get(address))
    refused(browser.get(address))


def test_a_ticket_that_was_spent_opens_nothing_again(house: House) -> None:
    browser = house.new_browser()
    assert house.back(browser, SUBJECT).status_code == 200
    kept = dict(browser.cookies)
    assert browser.get("/openid/go-on").status_code == 303
    thief = house.new_browser()
    thief.cookies.update(kept)
    refused(thief.get("/openid/go-on"))


def test_login_csrf_the_answer_of_another_browser_opens_nothing(house: House) -> None:
    attacker, victim = house.new_browser(), house.new_browser()
    theirs = house.click(house.away(attacker), SUBJECT)
    refused(house.new_browser().get(theirs))
    house.away(victim)
    refused(victim.get(theirs))
    assert attacker.get(theirs).status_code == 200


@pytest.mark.parametrize("change", ["state", "nothing-state", "code", "twice", "iss", "no-iss"])
def test_an_answer_that_was_changed_on_the_way_opens_nothing(house: House, change: str) -> None:
    browser = house.new_browser()
    address = house.click(house.away(browser), SUBJECT)
    base, _, query = address.partition("?")
    given = {name: values[0] for name, values in parse_qs(query).items()}
    changed = {
        "state": {**given, "state": "x" * 43},
        "nothing-state": {name: given[name] for name in ("code", "iss")},
        "code": {**given, "code": "another"},
        "iss": {**given, "iss": "https://evil.example"},
        "no-iss": {name: given[name] for name in ("code", "state")},
    }
    sent: object = [*given.items(), ("code", "another")] if change == "twice" else changed[change]
    refused(browser.get(f"{base}?{httpx.QueryParams(sent)}"))  # type: ignore[arg-type]  # pairs or a mapping


def test_mix_up_an_answer_of_one_provider_is_no_answer_of_another(house: House) -> None:
    browser = house.new_browser()
    address = house.click(house.away(browser, "site"), OFFICER_SUBJECT)
    refused(browser.get(address.replace("/openid/site/", "/openid/psc/")))
    refused(browser.get(address.replace("/openid/site/", "/openid/patients/")))


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another sign-in's"},
        {"aud": "another client"},
        {"iss": "https://evil.example"},
        {"acr": "eidas0"},
        {"exp": 1_000_000_000},
        {"iat": 4_000_000_000},
        {"sub": "somebody else"},
    ],
)
def test_a_token_that_says_something_else_opens_nothing(house: House, lie: Claims) -> None:
    house.provider.twist = lambda claims: claims | lie
    refused(house.back(house.new_browser(), SUBJECT))


def test_a_token_without_a_signature_opens_nothing(house: House) -> None:
    house.provider.twist_token = lambda token: "eyJhbGciOiJub25lIn0." + token.split(".")[1] + "."
    refused(house.back(house.new_browser(), SUBJECT))


def test_a_token_of_another_realm_of_the_same_keys_opens_nothing(house: House) -> None:
    issuer = house.provider.issuer("site")
    house.provider.twist = lambda claims: claims | {"iss": issuer}
    refused(house.back(house.new_browser(), SUBJECT))


def test_keys_that_changed_meanwhile_are_read_again(house: House) -> None:
    browser = house.new_browser()
    address = house.click(house.away(browser), SUBJECT)
    house.provider.rotate()
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil\n.example",
        "javascript:alert(1)",
        "evil.example",
        "/" + "x" * 5000,
        "/\tevil",
    ],
)
def test_open_redirect_a_page_wanted_elsewhere_is_ours(house: House, to: str) -> None:
    assert house.sign_in(house.new_browser(), SUBJECT, to=to).headers["location"] == "/"


def test_session_fixation_a_secret_given_before_is_worth_nothing(house: House) -> None:
    browser = house.new_browser()
    browser.cookies.set(SESSION, "a secret of the attacker's choice")
    house.sign_in(browser, SUBJECT)
    secrets = [cookie.value for cookie in browser.cookies.jar if cookie.name == SESSION]
    assert "a secret of the attacker's choice" not in secrets[-1:]


def test_csrf_the_choice_of_an_exercise_carries_its_key(house: House) -> None:
    browser = house.new_browser()
    house.back(browser, TWO)
    for csrf in ("", "0" * 32, "é"):
        assert browser.post("/openid/choose", data={"csrf": csrf, "exercise": "1"}).status_code == 400


def test_whoever_has_left_comes_in_no_more(house: House) -> None:
    account = house.accounts["officer"]
    people, asking = house.people, house.asking()
    browser = house.new_browser()
    address = house.click(house.away(browser, "site"), OFFICER_SUBJECT)
    people.accounts.change(asking, account.id, lambda one: msgspec.structs.replace(one, left=asking.now))
    try:
        refused(browser.get(address))
    finally:
        people.accounts.change(
            house.asking(), account.id, lambda one: msgspec.structs.replace(one, left=None)
        )


def test_an_exercise_that_ended_after_it_was_offered_opens_nothing(house: House) -> None:
    account, asking = house.accounts["two"], house.asking()
    browser = house.new_browser()
    page = house.back(browser, TWO)
    gone = [msgspec.structs.replace(one, end=asking.now) for one in account.exercises]
    people = house.people.accounts
    people.change(asking, account.id, lambda one: msgspec.structs.replace(one, exercises=tuple(gone)))
    try:
        form = {"csrf": hidden(page.text, "csrf"), "exercise": "1"}
        refused(browser.post("/openid/choose", data=form))
    finally:
        restored = account.exercises
        people.change(
            house.asking(), account.id, lambda one: msgspec.structs.replace(one, exercises=restored)
        )


def test_another_subject_with_the_same_rpps_is_refused(house: House) -> None:
    house.sign_in(house.new_browser(), SUBJECT)
    forged = Visitor("f:evil:another", "the same number", psc_claims(ATTENDING))
    realm = house.provider.realms["psc"]
    realm.visitors = [*realm.visitors, forged]
    refused(house.back(house.new_browser(), forged.subject))


def test_a_second_provider_that_knows_professionals_by_number_is_not_registered(house: House) -> None:
    realm = house.provider.realms["site"]
    house.provider.realms["sandbox"] = Realm("sandbox", realm.visitors, algorithm="ES256")
    described = house.provider.described("sandbox", Kind.PSC, "Sandbox", house.server.address)
    with pytest.raises(ConflictError):
        house.people.providers.register(house.asking(), described)
    assert [one.name for one in house.people.providers.all(house.asking())] == ["patients", "psc", "site"]


def test_a_provider_that_was_removed_lets_nobody_in(house: House) -> None:
    house.provider.realms["gone"] = Realm("gone", house.provider.realms["site"].visitors, algorithm="ES256")
    described = house.provider.described("gone", Kind.SITE, "gone", house.server.address)
    house.people.providers.register(house.asking(), described)
    browser = house.new_browser()
    address = house.click(house.away(browser, "gone"), OFFICER_SUBJECT)
    house.people.providers.remove(house.asking(), "gone")
    assert browser.get(address).status_code == 404


def test_looking_whether_a_link_is_alive_spends_nothing(house: House) -> None:
    browser = house.new_browser()
    address = house.click(house.away(browser), SUBJECT)
    assert browser.head(address).status_code == 405
    assert browser.get(address).status_code == 200
    assert browser.head("/openid/go-on").status_code == 405
    assert browser.get("/openid/go-on").status_code == 303


def test_no_address_of_ours_names_a_person_or_holds_a_secret(house: House) -> None:
    browser = house.new_browser()
    url = house.away(browser)
    asked = parse_qs(urlsplit(url).query)
    assert (asked["scope"], asked["acr_values"]) == ([PSC_SCOPE], ["eidas1"])
    assert set(asked) == {
        "response_type",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "nonce",
        "acr_values",
        "code_challenge",
        "code_challenge_method",
    }
    assert browser.get(house.click(url, SUBJECT)).headers["referrer-policy"] == "no-referrer"


def test_somebody_signed_in_proves_it_again_and_goes_on_under_a_new_secret(house: House) -> None:
    browser = house.new_browser()
    house.sign_in(browser, SUBJECT)
    old = browser.cookies[SESSION]
    url = house.away(browser)
    asked = parse_qs(urlsplit(url).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert browser.get(house.click(url, SUBJECT)).status_code == 200
    assert browser.get("/openid/go-on").status_code == 303
    new, device = browser.cookies[SESSION], browser.cookies["serment-device"]
    sessions, now = house.server.house.sessions, house.server.house.passage.clock()
    assert sessions.open(new, now, device).bound.account == house.accounts["attending"].id
    with pytest.raises(SignInError):
        sessions.open(old, now, device)


def test_a_proof_of_before_is_no_proof_of_now(house: House) -> None:
    browser = house.new_browser()
    house.sign_in(browser, SUBJECT)
    house.provider.twist = lambda claims: claims | {"auth_time": claims["auth_time"] - 3600}
    refused(house.back(browser, SUBJECT))
    house.provider.twist = lambda claims: {name: claims[name] for name in claims if name != "auth_time"}
    refused(house.back(browser, SUBJECT))


@pytest.mark.parametrize(("ago", "fresh"), [(0, True), (3600, False), (10**30, False), (None, False)])
def test_a_sign_in_is_as_fresh_as_the_provider_says(house: House, ago: int | None, fresh: bool) -> None:
    """Somebody whom the provider knew still comes in, and proves it again before anything dangerous."""
    when = time.time() - ago if ago is not None else None
    house.provider.twist = lambda claims: {**claims, "auth_time": None if when is None else int(when)}
    browser = house.new_browser()
    house.sign_in(browser, SUBJECT)
    sessions, now = house.server.house.sessions, house.server.house.passage.clock()
    session = sessions.open(browser.cookies[SESSION], now, browser.cookies["serment-device"])
    assert session.fresh(now) is fresh


def test_an_invitation_binds_somebody_at_their_provider_once(house: House) -> None:
    father = house.server.patient_actor("father")
    own = Exercise("1", father.id, "patient", patient=father.patient)
    account = house.enrol("father", Account("", father.name, (own,)))
    house.provider.realms["patients"].visitors = [
        *house.provider.realms["patients"].visitors,
        Visitor("the-father", "The father"),
    ]
    code = house.people.entering.inviting.invite(house.asking(), account.id)
    browser = house.new_browser()
    browser.get(f"/join/{code}")
    assert "/openid/patients?join=1" in browser.get("/join").text
    house.sign_in(browser, "the-father", "patients", join="1", to="/me")
    assert father.name in browser.get("/me").text
    house.sign_in(house.new_browser(), "the-father", "patients")
    thief = house.new_browser()
    thief.get(f"/join/{code}")
    refused(house.back(thief, "nobody", "patients", join="1"))


def test_an_invitation_is_not_spent_by_somebody_who_is_known_already(house: House) -> None:
    mother = house.server.patient_actor("mother")
    own = Exercise("1", mother.id, "patient", patient=mother.patient)
    account = house.enrol("mother", Account("", mother.name, (own,)))
    code = house.people.entering.inviting.invite(house.asking(), account.id)
    browser = house.new_browser()
    browser.get(f"/join/{code}")
    refused(house.back(browser, PATIENT_SUBJECT, "patients", join="1"))
    assert house.people.entering.inviting.invited(house.asking(), code).id == account.id


def test_being_signed_out_at_the_provider_ends_all_here(house: House) -> None:
    browser = house.new_browser()
    house.sign_in(browser, OFFICER_SUBJECT, "site")
    assert browser.get("/officer").status_code == 200
    token = _logout(house, "site", OFFICER_SUBJECT)
    assert browser.post("/openid/site/ended", data={"logout_token": token}).status_code == 200
    assert browser.get("/officer").status_code == 401
    refused(browser.post("/openid/site/ended", data={"logout_token": token}))


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "n"},
        {"events": {}},
        {"aud": "x"},
        {"iat": 1},
        {"jti": None},
        {"kind": "JWT"},
        {"kind": "at+jwt"},
    ],
)
def test_a_forged_word_that_somebody_signed_out_ends_nothing(house: House, lie: Claims) -> None:
    browser = house.new_browser()
    house.sign_in(browser, OFFICER_SUBJECT, "site")
    token = _logout(house, "site", OFFICER_SUBJECT, **lie)
    refused(house.new_browser().post("/openid/site/ended", data={"logout_token": token}))
    refused(house.new_browser().post("/openid/psc/ended", data={"logout_token": token}))
    assert browser.get("/officer").status_code == 200


def _logout(house: House, realm: str, subject: str, kind: str = "logout+jwt", **lie: object) -> str:
    """Make a logout token, or a lie of one."""
    now = house.server.house.passage.clock() // 1000
    said = {
        "iss": house.provider.issuer(realm),
        "aud": "serment-demo",
        "sub": subject,
        "iat": now,
        "exp": now + 120,
    }
    event = {
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "jti": f"{now}{subject}{len(lie)}",
    }
    claims = {name: value for name, value in {**said, **event, **lie}.items() if value is not None}
    return house.provider.id_token(house.provider.realms[realm], claims, kind)
