"""What is kept of where somebody is: the prefix of a network, and no more."""

from __future__ import annotations

import pytest

from serment.door.browser import place_of


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
