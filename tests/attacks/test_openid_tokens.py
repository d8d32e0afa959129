"""Forged ID tokens: none, by whatever trick, lets anybody in (RFC 8725, OpenID Connect Core section 16)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from serment.errors import SignInError
from serment.model import Instant
from serment.people import id_token
from serment.people.providers import Provider, pro_sante_connect

NOW = Instant(1_800_000_000_000)
SECONDS = NOW // 1000
NONCE = "the nonce of this sign-in"
ACCESS = "an access token"
PSC = pro_sante_connect("psc", "serment", "secret")
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "k2", "use": "sig", "alg": "RS256"})
CURVE = ECKey.generate_key("P-256", {"kid": "e1", "use": "sig", "alg": "ES256"})

Claims = dict[str, Any]


def public(*keys: RSAKey | ECKey) -> list[Claims]:
    return [dict(key.as_dict(private=False)) for key in keys]


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def half(token: str) -> str:
    return part(hashlib.sha256(token.encode()).digest()[:16])


def said(**changed: Any) -> Claims:
    """Give the claims of a good token, some of them changed; None takes one away."""
    good = {
        "iss": PSC.issuer,
        "sub": "f:1:899900001012",
        "aud": "serment",
        "azp": "serment",
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "nonce": NONCE,
        "acr": "eidas1",
        "at_hash": half(ACCESS),
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def signed(claims: Claims, key: RSAKey | ECKey = KEY, **header: Any) -> str:
    algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
    return jwt.encode({"alg": algorithm, "kid": key.kid} | header, claims, key, algorithms=[algorithm])


def rs256(head: str) -> str:
    """Sign whatever stands there, well formed or not."""
    assert KEY.private_key is not None
    return part(KEY.private_key.sign(head.encode(), padding.PKCS1v15(), hashes.SHA256()))


def taken(text: str, keys: list[Claims] | None = None, provider: Provider = PSC) -> Claims:
    given = public(KEY) if keys is None else keys
    return id_token.verified(text, given, provider, NOW, nonce=NONCE, access_token=ACCESS)


def test_a_good_token_says_who_it_is() -> None:
    assert taken(signed(said()))["sub"] == "f:1:899900001012"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"iss": PSC.issuer + "/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["serment", "another"]},
        {"aud": []},
        {"aud": None},
        {"azp": "another"},
        {"nonce": "another sign-in's"},
        {"nonce": None},
        {"nonce": ""},
        {"acr": "eidas0"},
        {"acr": None},
        {"acr": ["eidas1"]},
        {"iss": [PSC.issuer]},
        {"nonce": [NONCE]},
        {"azp": ["serment"]},
        {"exp": SECONDS - 61},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e30},
        {"iat": SECONDS + 61},
        {"iat": SECONDS - 601},
        {"iat": None},
        {"nbf": SECONDS + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"at_hash": half("another access token")},
        {"at_hash": 7},
        {"amr": "pwd"},
    ],
)
@pytest.mark.capability("0-06", "refuses")
def test_a_signed_token_that_says_something_else_is_refused(changed: Claims) -> None:
    with pytest.raises(SignInError):
        taken(signed(said(**changed)))


def test_alg_none_is_refused() -> None:
    for spelled in ("none", "None", "NONE", ""):
        for signature in ("", part(b"x")):
            with pytest.raises(SignInError):
                taken(f"{part({'alg': spelled, 'kid': 'k1'})}.{part(said())}.{signature}")


def test_key_confusion_a_public_key_is_no_shared_secret() -> None:
    for secret in (KEY.as_pem(private=False), str(KEY.as_dict(private=False)["n"]).encode()):
        head = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(said())}"
        forged = f"{head}.{part(hmac.new(secret, head.encode(), 'sha256').digest())}"
        with pytest.raises(SignInError):
            taken(forged)


def test_a_shared_secret_among_the_published_keys_is_no_key() -> None:
    shared = OctKey.import_key("a shared secret that somebody published", {"kid": "k1"})
    token = jwt.encode({"alg": "HS256", "kid": "k1"}, said(), shared, algorithms=["HS256"])
    with pytest.raises(SignInError):
        taken(token, [dict(shared.as_dict(private=True))])


def test_an_algorithm_that_was_not_pinned_is_refused_though_the_signature_is_good() -> None:
    with pytest.raises(SignInError):
        taken(signed(said(), CURVE), public(CURVE))


@pytest.mark.parametrize(
    "trick",
    [
        {"kid": "k2"},
        {"kid": "../../dev/null"},
        {"kid": "k1' OR '1'='1"},
        {"kid": ""},
        {"kid": 1},
        {"jwk": OTHER.as_dict(private=False)},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"b64": False},
        {"zip": "DEF"},
    ],
)
def test_a_token_says_nothing_about_its_own_key(trick: Claims) -> None:
    head = f"{part({'alg': 'RS256', 'kid': 'k1'} | trick)}.{part(said())}"
    for key in (KEY, OTHER):
        genuine = signed(said(), key).split(".")[2]
        with pytest.raises(SignInError):
            taken(f"{head}.{genuine}")


def test_a_key_for_something_else_is_no_key() -> None:
    token, good = signed(said()), public(KEY)[0]
    for keys in (
        [],
        [good | {"use": "enc"}],
        [good | {"alg": "RS512"}],
        [good | {"kty": "oct", "k": good["n"]}],
        [good, good],
        [dict(KEY.as_dict(private=True))],
        [good | {"n": part(b"\xff" * 128)}],
        [{"kid": "k1", "kty": "RSA"}],
        [{"kid": "k1", "kty": "RSA", "n": "AQAB", "e": "AQAB"}],
    ):
        with pytest.raises(SignInError):
            taken(token, keys)


def test_without_a_name_the_only_key_that_fits_is_taken_and_two_are_none() -> None:
    token = jwt.encode({"alg": "RS256"}, said(), KEY, algorithms=["RS256"])
    assert taken(token, public(KEY, CURVE))["acr"] == "eidas1"
    with pytest.raises(SignInError):
        taken(token, public(KEY, OTHER))


def test_only_strict_base64url_is_read() -> None:
    head, body, signature = signed(said()).split(".")
    assert taken(f"{head}.{body}.{signature}")
    for spelled in (
        f"{head}=.{body}.{signature}",
        f"{head}.{body}=.{signature}",
        f"{head}.{body}.{signature}==",
        f"{head}.{body}.{signature}\n",
        f" {head}.{body}.{signature}",
        f"{head}.{body}.{signature}.",
        f"{head}.{body}",
        f"{head}.{body}.{signature[:-1]}",
        f"{head}.{body}.{_stray(signature)}",
        f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}+",
        "",
        "..",
    ):
        with pytest.raises(SignInError):
            taken(spelled)


def _stray(signature: str) -> str:
    """Spell the same bytes with the unused bits of the last sign set (RFC 4648 section 3.5)."""
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return signature[:-1] + signs[signs.index(signature[-1]) ^ 1]


@pytest.mark.parametrize("kind", ["logout+jwt", "at+jwt", "application/at+jwt", "dpop+jwt", "", None, 7])
def test_a_token_of_another_kind_is_no_id_token(kind: object) -> None:
    assert taken(signed(said(), typ="application/JWT"))
    head = f"{part({'alg': 'RS256', 'kid': 'k1', 'typ': kind})}.{part(said())}"
    if kind == "":
        assert taken(f"{head}.{rs256(head)}")
        return
    with pytest.raises(SignInError):
        taken(f"{head}.{rs256(head)}")


@pytest.mark.parametrize("proved", [None, "now", True, SECONDS - 61, float(SECONDS)])
def test_a_proof_that_must_be_fresh_says_when_it_was_made(proved: object) -> None:
    assert id_token.proved_since({"auth_time": SECONDS - 60}, SECONDS)
    assert not id_token.proved_since({"auth_time": proved}, SECONDS)
    assert not id_token.proved_since({}, SECONDS)


def test_a_member_that_stands_twice_is_refused() -> None:
    twice = json.dumps(said())[:-1] + ', "sub": "somebody else"}'
    head = f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part(twice.encode())}"
    with pytest.raises(SignInError):
        taken(f"{head}.{rs256(head)}")


def test_deep_or_long_tokens_are_refused() -> None:
    with pytest.raises(SignInError):
        taken(signed(said(deep="x" * 20_000)))
    nested = ("[" * 5_000 + "]" * 5_000).encode()
    head = f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part(nested)}"
    with pytest.raises(SignInError):
        taken(f"{head}.{rs256(head)}")


def test_no_refusal_quotes_the_token() -> None:
    token = signed(said(sub="DUPONTMARQUEUR", iss="https://evil.example"))
    with pytest.raises(SignInError) as met:
        taken(token)
    assert "DUPONTMARQUEUR" not in str(met.value)
    assert "DUPONTMARQUEUR" not in repr(met.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*sorted(said()), "nbf", "amr", "auth_time", "jti"])


@given(lie=st.dictionaries(NAMES, JSON, min_size=1, max_size=3))
def test_whatever_a_signed_token_says_it_is_refused_or_true(lie: Claims) -> None:
    claims = said() | lie
    head = f"{part({'alg': 'RS256', 'kid': 'k1'})}.{part(claims)}"
    try:
        found = taken(f"{head}.{rs256(head)}")
    except SignInError:
        return
    assert (found["iss"], found["nonce"], found["acr"]) == (PSC.issuer, NONCE, "eidas1")
    assert found["aud"] in ("serment", ["serment"])


@given(header=st.dictionaries(st.text(max_size=6) | st.sampled_from(["alg", "kid", "typ"]), JSON, max_size=4))
def test_whatever_a_header_says_nothing_breaks(header: Claims) -> None:
    head = f"{part(header)}.{part(said())}"
    with pytest.raises(SignInError):
        taken(f"{head}.{part(b'x' * 256)}")


@given(text=st.text(alphabet="eyJ.-_AQ=+/ \n", max_size=80))
def test_whatever_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(SignInError):
        taken(text)
