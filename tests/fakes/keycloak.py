"""Keycloak's server distribution as Pro Santé Connect, itself a Keycloak: started for a block of tests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from serment.demo.people import ATTENDING
from serment.demo.provider import psc_claims
from serment.people.providers import PSC_SCOPE, Kind, Provider
from tests.conformance.provider_contract import Place
from tests.fakes.oidc_provider import CACHE, free_port

REALM = "esante-wallet"
PASSWORD = "of the tests only"


def no_keycloak() -> str:
    """Say why there is none; "" when there is one."""
    if shutil.which("java") is None:
        return "java is not on this machine"
    if not (CACHE / "keycloak" / "bin" / "kc.sh").is_file():
        return "Keycloak is not there: .ci/components puts it into the cache folder"
    return ""


@contextmanager
def keycloak(redirect: str, folder: Path) -> Iterator[Place]:
    """Run it on a free port, on a copy of its own, until the end of the block."""
    home = folder / "keycloak"
    shutil.copytree(CACHE / "keycloak", home, ignore=shutil.ignore_patterns("lib", "data"))
    (home / "lib").symlink_to(CACHE / "keycloak" / "lib")
    (home / "data" / "import").mkdir(parents=True)
    (home / "data" / "import" / "realm.json").write_text(json.dumps(_realm(redirect)))
    port = free_port()
    options = ("--http-port", str(port), "--http-host", "127.0.0.1", "--import-realm")
    open_ = ("--http-enabled", "true", "--hostname-strict", "false")
    command = [str(home / "bin" / "kc.sh"), "start", "--optimized", *options, *open_]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        try:
            assert running.stdout is not None
            said = b""
            for line in running.stdout:
                said += line
                if b"Listening on:" in line:
                    break
            assert b"Listening on:" in said, said.decode(errors="replace")[-2000:]
            yield Place(_registered(f"http://localhost:{port}/realms/{REALM}"), _sign_in)
        finally:
            running.terminate()


def _sign_in(browser: httpx.Client, url: str) -> str:
    """Fill the form that Keycloak shows. Its cookies are `Secure`: a browser sends them to localhost."""
    shown = browser.get(url)
    action = re.search(r'action="([^"]+)"', shown.text)
    assert action is not None, shown.text[:500]
    sent = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
    form = {"username": "attending", "password": PASSWORD}
    answer = browser.post(unescape(action[1]), data=form, headers={"cookie": sent})
    return answer.headers["location"]


def _realm(redirect: str) -> dict[str, Any]:
    return {
        "realm": REALM,
        "enabled": True,
        "sslRequired": "none",
        "attributes": {"acr.loa.map": json.dumps({"eidas1": 1})},
        "clientScopes": [{"name": "scope_all", "protocol": "openid-connect", "protocolMappers": _mappers()}],
        "clients": [
            {
                "clientId": "serment",
                "secret": PASSWORD,
                "redirectUris": [redirect],
                "standardFlowEnabled": True,
                "directAccessGrantsEnabled": False,
                "attributes": {"pkce.code.challenge.method": "S256"},
                "defaultClientScopes": [],
                "optionalClientScopes": ["scope_all"],
                "protocolMappers": [_built_in("acr"), _built_in("sub")],
            }
        ],
        "users": [
            {
                "username": "attending",
                "enabled": True,
                "email": "attending@serment.test",
                "firstName": ATTENDING.given,
                "lastName": ATTENDING.family,
                "credentials": [{"type": "password", "value": PASSWORD}],
            }
        ],
    }


def _built_in(name: str) -> dict[str, Any]:
    """Have tokens say what a realm that names its own scopes leaves out."""
    config = {"id.token.claim": "true", "access.token.claim": "true", "introspection.token.claim": "true"}
    mapper = f"oidc-{name}-mapper"
    return {"name": name, "protocol": "openid-connect", "protocolMapper": mapper, "config": config}


def _mappers() -> list[dict[str, Any]]:
    """Say the same of everybody: Pro Santé Connect's claims about the attending doctor, in UserInfo."""
    return [
        {
            "name": name,
            "protocol": "openid-connect",
            "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": {
                "claim.name": name,
                "claim.value": value if isinstance(value, str) else json.dumps(value),
                "jsonType.label": "String" if isinstance(value, str) else "JSON",
                "userinfo.token.claim": "true",
                "id.token.claim": "false",
                "access.token.claim": "false",
            },
        }
        for name, value in psc_claims(ATTENDING).items()
        if name != "email_verified" and value != ""
    ]


def _registered(issuer: str) -> Provider:
    return Provider(
        "psc",
        Kind.PSC.value,
        "Pro Santé Connect",
        issuer,
        "serment",
        PASSWORD,
        "FR",
        ("eidas1",),
        scope=PSC_SCOPE,
        private=True,
    )
