"""What every identity provider must do for us, ours and those that others wrote: one list, run against each.

`Place` is a provider that runs: how it was registered, the way its pages are gone through, and what it says
of the one professional who comes. Nothing here knows which provider it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from serment.demo.people import ATTENDING
from serment.errors import DependencyError, SignInError
from serment.exits.identity_provider import IdentityProviders
from serment.identity.claims import professional
from serment.model import Function, Instant
from serment.people.openid import Flow, OpenId
from serment.people.providers import Provider, checked, origin_of

REDIRECT = "http://localhost:39999/openid/psc/return"
"""Where providers send browsers back; nobody listens there, the tests read the address."""


@dataclass(frozen=True, slots=True)
class Place:
    """A provider that runs, and how somebody goes through its pages: from the first address to the last."""

    provider: Provider
    go_through: Callable[[httpx.Client, str], str]


def now() -> Instant:
    return Instant(time.time_ns() // 1_000_000)


def came_back(place: Place, openid: OpenId) -> tuple[Flow, dict[str, str]]:
    """Send a browser away and give what its last address said."""
    url, flow = openid.begin(place.provider, REDIRECT, now())
    with httpx.Client(timeout=30) as browser:
        last = place.go_through(browser, url)
    assert last.partition("?")[0] == REDIRECT
    return flow, {name: values[0] for name, values in parse_qs(urlsplit(last).query).items()}


def openid() -> OpenId:
    return OpenId(IdentityProviders(seconds=20))


def it_may_be_registered(place: Place) -> None:
    assert checked(place.provider) == place.provider


def it_sends_the_browser_where_it_was_registered(place: Place) -> None:
    url, _ = openid().begin(place.provider, REDIRECT, now())
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert origin_of(url) in place.provider.browser_origins
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["acr_values"], asked["redirect_uri"]) == ("eidas1", REDIRECT)


def it_says_who_somebody_is(place: Place) -> None:
    party = openid()
    flow, given = came_back(place, party)
    known = party.known(
        place.provider, flow, party.answered(place.provider, flow, given, now()), REDIRECT, now()
    )
    told = professional(known.claims)
    assert (known.acr, known.claims["sub"]) == ("eidas1", known.subject)
    assert told.rpps == ATTENDING.rpps
    assert told.allows("10", Function.TREATING_DOCTOR)
    assert not told.regulation


def it_takes_a_code_once(place: Place) -> None:
    party = openid()
    flow, given = came_back(place, party)
    code = party.answered(place.provider, flow, given, now())
    party.known(place.provider, flow, code, REDIRECT, now())
    with pytest.raises(SignInError):
        party.known(place.provider, flow, code, REDIRECT, now())


def it_holds_a_code_to_the_browser_that_began(place: Place) -> None:
    party = openid()
    flow, given = came_back(place, party)
    stolen = msgspec.structs.replace(flow, verifier="v" * 43)
    with pytest.raises(SignInError):
        party.known(place.provider, stolen, given["code"], REDIRECT, now())


def it_holds_a_code_to_its_return_address(place: Place) -> None:
    party = openid()
    flow, given = came_back(place, party)
    with pytest.raises(SignInError):
        party.known(place.provider, flow, given["code"], REDIRECT + "/x", now())


def it_gives_nothing_to_another_client(place: Place) -> None:
    party = openid()
    flow, given = came_back(place, party)
    impostor = msgspec.structs.replace(place.provider, secret="not the secret")
    with pytest.raises((SignInError, DependencyError)):
        party.known(impostor, flow, given["code"], REDIRECT, now())


def it_names_itself_in_its_answers(place: Place) -> None:
    party = openid()
    flow, given = came_back(place, party)
    assert given["iss"] == place.provider.issuer
    with pytest.raises(SignInError):
        party.answered(place.provider, flow, {**given, "iss": "https://another.example"}, now())
    with pytest.raises(SignInError):
        party.answered(place.provider, flow, {name: given[name] for name in given if name != "iss"}, now())


CONTRACT = (
    it_may_be_registered,
    it_sends_the_browser_where_it_was_registered,
    it_says_who_somebody_is,
    it_takes_a_code_once,
    it_holds_a_code_to_the_browser_that_began,
    it_holds_a_code_to_its_return_address,
    it_gives_nothing_to_another_client,
    it_names_itself_in_its_answers,
)
