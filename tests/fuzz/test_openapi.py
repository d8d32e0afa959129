"""What the OpenAPI description says of the door, held against a real server by schemathesis.

It draws requests that fit the description and requests that do not, and checks each answer: a status that
is described, in the format that is described for it, of the shape described, within its time, and never
500. Half of what it draws is turned towards a record that exists, so that more than 400 and 404 is heard.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.doors.samples import weight
from tests.doors.served import Served, served
from tools.render_openapi import page

SHORT = 6
LONG = 300
WAYS = ("", "", "person", "item")
PATIENCE = 30
"""Seconds after which an answer that has not begun is a hang; answers take milliseconds."""

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def described() -> Iterator[Any]:
    """Give the operations of the description. Raises what schemathesis does when it is not OpenAPI."""
    for one in schemathesis.openapi.from_dict(json.loads(page())).get_all_operations():
        if isinstance(one, Err):
            raise one.err()
        yield one.ok()


OPERATIONS = {one.label: one for one in described()}
WELL_KNOWN = {"GET /fhir/.well-known/smart-configuration", "GET /.well-known/oauth-authorization-server"}
NOTHING_TO_SAY = {"GET /livez", "GET /readyz"} | WELL_KNOWN
"""Addresses that take nothing: there is no wrong way to ask them."""
CASES = [
    (label, mode)
    for label in OPERATIONS
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if mode.is_positive or label not in NOTHING_TO_SAY
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("openapi")) as running:
        yield running


@pytest.fixture(scope="module")
def doctor(server: Served) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.headers["authorization"] = f"Bearer {server.token(server.installation.staff('team-doctor'))}"
        yield session


def turned(case: Any, server: Served, way: str) -> None:
    """Turn a request towards what is there: the person of a record, or an item that could be written."""
    record = server.record()
    named = {"id": record, "type": "Patient" if way == "person" else "Observation"}
    for name in set(named) & set(case.path_parameters or ()):
        case.path_parameters[name] = named[name]
    if isinstance(case.query, dict) and case.method == "GET" and "id" not in (case.path_parameters or ()):
        case.query = {"patient": record} | ({} if way == "person" else case.query)
    elif way == "person":
        case.query = {}
    if isinstance(case.headers, MutableMapping) and way == "person":
        case.headers.pop("Serment-Purpose", None)
    if isinstance(case.body, dict):
        case.body = weight(record) if way == "person" else {**case.body, **weight(record)}


def asked(server: Served, doctor: requests.Session, label: str, mode: GenerationMode, count: int) -> None:
    """Send `count` requests of one operation, and check what comes back."""
    strangers = set(server.installation.store.ids.values()) - {server.record()}
    few = settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck))

    @few
    @given(OPERATIONS[label].as_strategy(generation_mode=mode), st.sampled_from(WAYS))
    def ask(case: Any, way: str) -> None:
        if way:
            turned(case, server, way)
        answer = case.call(base_url=server.address, session=doctor, timeout=PATIENCE, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)
        assert not any(one in answer.text for one in strangers)

    ask()


@pytest.mark.parametrize(("label", "mode"), CASES)
@pytest.mark.capability("1-30", "refuses")
def test_an_address_answers_as_its_description_says(
    server: Served, doctor: requests.Session, label: str, mode: GenerationMode
) -> None:
    asked(server, doctor, label, mode, SHORT)


@pytest.mark.campaign
@pytest.mark.parametrize(("label", "mode"), CASES)
def test_an_address_answers_many_requests_as_its_description_says(
    server: Served, doctor: requests.Session, label: str, mode: GenerationMode
) -> None:
    asked(server, doctor, label, mode, LONG)
