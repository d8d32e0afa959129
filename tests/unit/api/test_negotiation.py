"""What a request may look like, on requests made by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from serment.api import negotiation
from serment.api.abilities import searched_types, served_types
from serment.errors import MalformedError, NotAcceptableError, NotSupportedError, TooLargeError


def request(query: str = "", pieces: tuple[bytes, ...] = (), **headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": sent}
    waiting = [*pieces]

    async def receive() -> dict[str, Any]:
        piece = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    return Request(scope, receive)


@pytest.mark.parametrize(
    ("prefer", "wish"),
    [
        ("", "representation"),
        ("return=minimal", "minimal"),
        ("handling=strict; return=OperationOutcome", "OperationOutcome"),
        ("respond-async, return=minimal", "minimal"),
        ("return=everything", "representation"),
    ],
)
def test_prefer_says_what_a_write_answers(prefer: str, wish: str) -> None:
    assert negotiation.preferred(request(prefer=prefer)) == wish


def test_a_caller_who_accepts_nothing_in_particular_is_answered() -> None:
    negotiation.acceptable(request())
    negotiation.acceptable(request(accept=""))
    with pytest.raises(NotAcceptableError):
        negotiation.acceptable(request(accept="application/fhir+json;q=0.000"))


def test_layout_is_no_criterion_and_empty_values_are_kept() -> None:
    assert negotiation.query(request("_format=json&code=&_pretty=true&a=1&a=2")) == [
        ("code", ""),
        ("a", "1"),
        ("a", "2"),
    ]


def test_any_other_parameter_is_refused_where_none_is_taken() -> None:
    negotiation.nothing_else(request("_format=json"))
    with pytest.raises(NotSupportedError):
        negotiation.nothing_else(request("_format=json&_summary=true"))


@pytest.mark.parametrize("text", ["a=%ff", "a=%c3%28", "%ff=1"])
def test_escapes_that_are_not_utf8_are_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        negotiation.pairs(text)


def test_a_body_is_read_up_to_its_limit_whatever_it_declares() -> None:
    assert asyncio.run(negotiation.body(request(pieces=(b"ab", b"cd")), 4)) == b"abcd"
    for sent in (
        request(pieces=(b"ab", b"cde")),
        request(content_length="5"),
        request(pieces=(b"abcde",), content_length="nonsense"),
    ):
        with pytest.raises(TooLargeError):
            asyncio.run(negotiation.body(sent, 4))


def test_if_match_is_a_weak_etag_or_nothing() -> None:
    assert negotiation.if_match(request()) is None
    assert negotiation.if_match(request(if_match=' W/"12" ')) == 12
    for wrong in ('"12"', "*", 'W/"1", W/"2"', 'W/"-1"', ""):
        with pytest.raises(MalformedError):
            negotiation.if_match(request(if_match=wrong))


def test_what_is_searched_is_served_and_a_trace_is_neither() -> None:
    assert searched_types() < served_types()
    assert "AuditEvent" not in served_types()
    assert {"Patient", "Observation", "Practitioner"} <= searched_types()
