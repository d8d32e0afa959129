"""Passkeys (WebAuthn level 3): what is asked of a browser, and whether its answer holds.

The relying party is the host name in the address of the installation; the person is verified by the device (a
finger, a face, a code), so that one passkey is two factors. Passkeys are discoverable: nobody types a login,
and no page says who has one. No attestation is asked: any maker's device will do. Nothing is stored here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import webauthn
from webauthn.helpers import options_to_json, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from serment.errors import SignInError
from serment.model import Instant
from serment.people.credentials import Passkey

TIMEOUT_MS: Final = 120_000
MOST_ANSWER: Final = 12_000
"""Bytes of a browser's answer, at most."""

_VERIFIED: Final = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Answered:
    """A passkey that signed a challenge: its signature counter, and whether devices share it."""

    count: int
    synced: bool


@dataclass(frozen=True, slots=True)
class Party:
    """The relying party: host name (`id`) and origin."""

    id: str
    origin: str
    name: str = "Serment"

    @classmethod
    def at(cls, address: str) -> Party:
        """Give the party of an installation at an address, as people type it."""
        split = urlsplit(address)
        return cls(split.hostname or "localhost", f"{split.scheme}://{split.netloc}")

    def creation(
        self, account: str, login: str, name: str, known: tuple[Passkey, ...], challenge: bytes
    ) -> str:
        """Ask a browser to make a passkey: options as JSON (`parseCreationOptionsFromJSON`)."""
        options = webauthn.generate_registration_options(
            rp_id=self.id,
            rp_name=self.name,
            user_name=login or name,
            user_display_name=name,
            user_id=account.encode(),
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=_VERIFIED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one.id) for one in known],
        )
        return options_to_json(options)

    def request(self, challenge: bytes) -> str:
        """Ask a browser for a signature by any passkey of this party: options as JSON."""
        options = webauthn.generate_authentication_options(
            rp_id=self.id, challenge=challenge, timeout=TIMEOUT_MS, user_verification=_VERIFIED
        )
        return options_to_json(options)

    def made(self, answer: str, challenge: bytes, name: str, now: Instant) -> Passkey:
        """Read the passkey that a browser made. Raises `SignInError`."""
        try:
            made = webauthn.verify_registration_response(
                credential=_read(answer),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise SignInError("signin.passkey-refused") from None
        synced = made.credential_device_type is CredentialDeviceType.MULTI_DEVICE
        key = made.credential_public_key
        return Passkey(made.credential_id, key, made.sign_count, name, now, now, synced=synced)

    def signed(self, answer: str, challenge: bytes, passkey: Passkey) -> Answered:
        """Hold the answer of a browser against a passkey. Raises `SignInError`.

        The counter is not judged here: a copy that goes back is an alarm, not a wrong answer.
        """
        try:
            held = webauthn.verify_authentication_response(
                credential=_read(answer),
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=passkey.key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise SignInError("signin.refused") from None
        return Answered(held.new_sign_count, held.credential_device_type is CredentialDeviceType.MULTI_DEVICE)


def whose(answer: str) -> tuple[str, bytes]:
    """Say whose passkey an answer claims to be: ids of the account and of the key. Raises `SignInError`."""
    try:
        read = parse_authentication_credential_json(_read(answer))
        handle = read.response.user_handle
        return (handle or b"").decode(), read.raw_id
    except (WebAuthnException, ValueError, KeyError, TypeError):
        raise SignInError("signin.refused") from None


def went_back(passkey: Passkey, count: int) -> bool:
    """Say whether a counter did not grow (WebAuthn section 6.1.1): 0 both times says that it has none."""
    return (passkey.count > 0 or count > 0) and count <= passkey.count


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > MOST_ANSWER:
        raise ValueError
    try:
        read: dict[str, Any] = msgspec.json.decode(answer, type=dict[str, Any])
    except msgspec.MsgspecError:
        raise ValueError from None
    return read
