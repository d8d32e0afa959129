"""What is kept of where somebody is: the prefix of a network, and no more."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from serment.door.browser import DEVICE, SESSION, cookie, device, known, place_of, signed_in


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("82.65.12.34", "82.65."),
        ("::ffff:82.65.12.34", "82.65."),
        ("2a01:cb00:1234:5678:9abc::1", "2a01:cb00::"),
        ("", ""),
        ("testclient", ""),
    ],
)
def test_a_place_is_the_prefix_of_a_network(source: str, place: str) -> None:
    assert place_of(source) == place


def asked(scheme: str, cookies: str = "") -> Request:
    headers = [(b"cookie", cookies.encode()), (b"host", b"serment.example")]
    return Request({"type": "http", "scheme": scheme, "method": "GET", "path": "/", "headers": headers})


def test_under_tls_a_cookie_is_of_this_host_alone_and_another_name_is_not_read() -> None:
    """RFC 6265bis section 4.1.3.2: Secure, Path=/ and no Domain, or the browser refuses the prefix."""
    answer = Response()
    signed_in(asked("https"), answer, "secret")
    kept = next(one for name, one in answer.headers.items() if name == "set-cookie")
    assert kept.startswith("__Host-serment=secret")
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(kept.split("; "))
    assert "Domain" not in kept
    planted = asked("https", "serment=planted; __Host-serment=ours")
    assert cookie(planted, SESSION) == "ours"
    assert cookie(asked("https", "serment=planted"), SESSION) == ""


def test_a_browser_keeps_one_secret_of_its_own() -> None:
    new = asked("https")
    made = device(new)
    assert device(new) == made
    assert f"__Host-serment-device={made}" in known(new, Response()).headers["set-cookie"]
    back = asked("https", f"__Host-{DEVICE}={made}")
    assert device(back) == made
    assert "set-cookie" not in known(back, Response()).headers
