"""What a password must be, and which lists of known ones are read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from serment.errors import RequestError, SettingsError
from serment.people.breached import Breached, Common, RangeFolder, SortedFile, lists_of
from serment.people.credentials import Credentials
from serment.people.passwords import LONGEST, acceptable
from serment.record.entrance.factors import Cost, password_hash, password_matches

KNOWN = ("correct horse battery", "sesame ouvre toi vite", "le chat de la voisine")


def digests() -> list[str]:
    return sorted(hashlib.sha1(one.encode()).hexdigest().upper() for one in KNOWN)  # noqa: S324 - the format


@pytest.fixture(params=["folder", "file"])
def breached(request: pytest.FixtureRequest, tmp_path: Path) -> Breached:
    many = sorted([*digests(), *(f"{number:040X}" for number in range(0, 16**40, 16**37))])
    if request.param == "file":
        file = tmp_path / "sorted.txt"
        file.write_text("".join(f"{one}:{number + 1}\n" for number, one in enumerate(many)))
        return SortedFile(file)
    for one in many:
        with (tmp_path / one[:5]).open("a") as opened:
            opened.write(f"{one[5:]}:2\r\n")
    return RangeFolder(tmp_path)


@pytest.mark.parametrize("password", KNOWN)
@pytest.mark.capability("4-16", "refuses")
def test_a_password_of_the_list_is_known(breached: Breached, password: str) -> None:
    assert breached.knows(password)


def test_what_a_range_pads_with_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / f"{digests()[0][:5]}.txt").write_text(f"{digests()[0][5:]}:0\n")
    folder = RangeFolder(tmp_path)
    assert not any(folder.knows(one) for one in KNOWN if _digest(one) == digests()[0])


def _digest(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()  # noqa: S324 - the format


def test_a_password_of_nobody_is_not_known(tmp_path: Path) -> None:
    file = tmp_path / "sorted.txt"
    file.write_text("".join(f"{one}:1\n" for one in digests()))
    assert not SortedFile(file).knows("girafe mauve sous la pluie")


def test_a_range_that_is_not_there_and_a_list_that_is_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        RangeFolder(tmp_path).knows("anything at all")
    with pytest.raises(SettingsError):
        lists_of(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    "password",
    [
        "Motdepasse2026!",
        "M0tdepasse2026!",
        "!!docteur1234",
        "marseillemarseille",
        "qsdfghjklmwx",
        "98765432109",
    ],
)
def test_common_words_are_known_however_they_are_dressed(password: str) -> None:
    assert Common().knows(password)


@pytest.mark.parametrize("password", ["girafe mauve sous la pluie", "quatre-vingts hiboux", "Zt7#kq9!LmW2"])
@pytest.mark.capability("4-16", "lets")
def test_a_phrase_of_ones_own_is_good(password: str) -> None:
    assert acceptable(password, ("dorval", "Dr Dorval", "Cabinet des Lilas"), Common()) == password


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("onze-signes", "signin.password-length"),
        ("x" * 257, "signin.password-length"),
        ("abababababab", "signin.password-guessed"),
        ("Dorval-Dorval-9", "signin.password-guessed"),
        ("cabinet lilas 12", "signin.password-guessed"),
        ("azertyuiopqs", "signin.password-known"),
    ],
)
@pytest.mark.capability("4-07", "refuses")
def test_what_is_short_guessed_or_known_is_refused(password: str, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        acceptable(password, ("dorval", "Dr Dorval", "Cabinet des Lilas"), Common())
    assert refused.value.sentence == sentence
    assert password not in str(refused.value)


@pytest.mark.parametrize("signs", [64, LONGEST])
def test_a_password_of_sixty_four_signs_and_more_is_taken(signs: int) -> None:
    long = ("hibou mauve des marais sous la pluie, " * 8)[:signs]
    kept = password_hash(acceptable(long, (), Common()), Cost(1, 1, 64))
    assert password_matches(long, kept)
    assert not password_matches(long[:-1], kept)


def test_a_password_is_one_however_its_accents_are_composed_and_no_other() -> None:
    composed, apart = "l\u00e9zard bleu des \u00eeles", "le\u0301zard bleu des i\u0302les"
    kept = password_hash(acceptable(apart, (), Common()), Cost(1, 1, 64))
    assert password_matches(composed, kept)
    for other in ("Lézard bleu des îles", "lezard bleu des iles", f"{composed} ", f" {composed}"):
        assert not password_matches(other, kept)


def test_nothing_is_kept_that_only_reminds_of_a_password() -> None:
    """No hint, no secret question: a file of credentials has these members, and no others."""
    kept = set(Credentials.__struct_fields__)
    assert kept == {
        "password",
        "renew",
        "codes",
        "recovery",
        "passkeys",
        "devices",
        "sessions",
        "over",
        "notices",
    }
