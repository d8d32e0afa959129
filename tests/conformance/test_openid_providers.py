"""Identity providers that others wrote, and ours, hold to one contract (`provider_contract`).

`oidc-provider` (npm) and Keycloak stand in a folder of their own beside the user's caches, where `.ci/run`
puts them; a machine without them skips with the reason. Keycloak takes half a minute to start: campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from serment.app import StoreKind
from serment.demo.people import ATTENDING
from serment.demo.provider import IdentityProvider, Realm, psc_visitor, subject_of
from serment.errors import RefusedError
from serment.people.providers import Kind
from tests.conformance.provider_contract import CONTRACT, REDIRECT, Place
from tests.fakes.keycloak import keycloak, no_keycloak
from tests.fakes.oidc_provider import no_oidc_provider, oidc_provider

Sentence = Callable[[Place], None]

contract = pytest.mark.parametrize("holds", CONTRACT, ids=lambda one: one.__name__)


@pytest.fixture(scope="module")
def ours() -> Iterator[Place]:
    realm = Realm("psc", [psc_visitor(ATTENDING)], acr="eidas1")
    with IdentityProvider(StoreKind.DEMO, [realm]) as provider:
        described = provider.described("psc", Kind.PSC, "Pro Santé Connect", REDIRECT.partition("/openid")[0])

        def click(browser: httpx.Client, url: str) -> str:
            assert ATTENDING.name in browser.get(url).text
            answer = browser.get(url, params={**httpx.URL(url).params, "as": subject_of(ATTENDING)})
            return answer.headers["location"]

        yield Place(described, click)


@pytest.fixture(scope="module")
def npm() -> Iterator[Place]:
    with oidc_provider(REDIRECT) as place:
        yield place


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with keycloak(REDIRECT, tmp_path_factory.mktemp("keycloak")) as place:
        yield place


@contract
@pytest.mark.capability("0-06", "lets")
def test_ours_holds(ours: Place, holds: Sentence) -> None:
    holds(ours)


@contract
@pytest.mark.skipif(bool(no_oidc_provider()), reason=no_oidc_provider())
def test_oidc_provider_holds(npm: Place, holds: Sentence) -> None:
    holds(npm)


@contract
@pytest.mark.campaign
@pytest.mark.skipif(bool(no_keycloak()), reason=no_keycloak())
def test_keycloak_holds(java: Place, holds: Sentence) -> None:
    holds(java)


def test_ours_starts_on_no_store_of_production() -> None:
    with pytest.raises(RefusedError, match="demonstration"):
        IdentityProvider(StoreKind.PRODUCTION, [])
