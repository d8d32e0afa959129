"""`oidc-provider` (npm, MIT) as Pro Santé Connect: a real server of others, started for a block of tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from serment.demo.people import ATTENDING
from serment.demo.provider import psc_claims, subject_of
from serment.people.providers import PSC_SCOPE, Kind, Provider
from tests.conformance.provider_contract import Place

HERE = Path(__file__).parent / "oidc-provider"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "serment-tests"
"""Where `.ci/run` puts what tests run that is not Python's: beside the checkout's own files, never in it."""


def no_oidc_provider() -> str:
    """Say why there is none; "" when there is one."""
    if shutil.which("node") is None:
        return "node is not on this machine"
    if not (CACHE / "oidc-provider" / "node_modules" / "oidc-provider").is_dir():
        return "oidc-provider is not installed: .ci/components puts it into the cache folder"
    return ""


@contextmanager
def oidc_provider(redirect: str) -> Iterator[Place]:
    """Run it on a free port until the end of the block; whoever comes is the attending doctor."""
    folder = CACHE / "oidc-provider"
    shutil.copyfile(HERE / "server.mjs", folder / "server.mjs")
    port = free_port()
    issuer = f"http://localhost:{port}"
    account = {"sub": subject_of(ATTENDING), **psc_claims(ATTENDING)}
    told = {"issuer": issuer, "port": port, "client": "serment", "secret": "of the tests only"}
    told |= {"redirect": redirect, "acr": ["eidas1"], "account": account}
    command = [shutil.which("node") or "node", "server.mjs", json.dumps(told)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        try:
            assert running.stdout is not None
            assert any(line == b"ready\n" for line in running.stdout)
            yield Place(_registered(issuer), go_through)
        finally:
            running.terminate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def go_through(browser: httpx.Client, url: str) -> str:
    """Follow the provider's redirections until they leave it; give the address it leads to."""
    host = httpx.URL(url).port
    for _ in range(10):
        answer = browser.get(url)
        url = str(answer.url.join(answer.headers["location"]))
        if httpx.URL(url).port != host:
            return url
    raise AssertionError("it never sent the browser back")


def _registered(issuer: str) -> Provider:
    return Provider(
        "psc",
        Kind.PSC.value,
        "Pro Santé Connect",
        issuer,
        "serment",
        "of the tests only",
        "FR",
        ("eidas1",),
        scope=PSC_SCOPE,
        private=True,
    )
