"""People for the tests of sign-in: an account with a password, one-time codes, a passkey."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from itertools import count

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from serment.keys.factors import Cost, one_time_code
from serment.model import Instant, Purpose, RequestId
from serment.people.accounts import Account, Exercise
from serment.people.people import People
from serment.people.signing import Where
from serment.record.asking import Asking
from serment.record.house import House
from serment.record.today import KEEPER
from serment.record.writing import new_id

CHEAP = Cost(1, 1, 64)
PASSWORD = "girafe mauve sous la pluie"
STEP = 30_000
_numbers = count(1000)


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class Authenticator:
    """A device that holds one passkey, as WebAuthn says it: ES256, a counter, a person it verified."""

    origin: str
    party: str
    counter: int = 0
    verified: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user: bytes = b""

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: str) -> str:
        """Answer `navigator.credentials.create`."""
        asked = json.loads(options)
        self.user = _raw(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        x, y = (one.to_bytes(32, "big") for one in (numbers.x, numbers.y))
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        data = self._data(0x40) + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cose
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", asked["challenge"])
        return self._answer({"clientDataJSON": b64(client), "attestationObject": b64(attested)})

    def sign(self, options: str) -> str:
        """Answer `navigator.credentials.get`; the counter grows first."""
        if self.counter:
            self.counter += 1
        client, data = self._client("webauthn.get", json.loads(options)["challenge"]), self._data(0)
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        said = {
            "clientDataJSON": client,
            "authenticatorData": data,
            "signature": signed,
            "userHandle": self.user,
        }
        return self._answer({name: b64(value) for name, value in said.items()})

    def _data(self, more: int) -> bytes:
        flags = 0x01 | (0x04 if self.verified else 0) | more
        return hashlib.sha256(self.party.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, response: dict[str, str]) -> str:
        return json.dumps(
            {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "response": response}
        )


def _raw(text: str) -> bytes:
    from base64 import urlsafe_b64decode

    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Somebody:
    """A person with an account: what they know and hold."""

    house: House
    people: People
    account: Account
    secret: bytes = b""
    recovery: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        """Give the one-time code of now, or of some steps from now."""
        return one_time_code(self.secret, self.house.passage.clock() // STEP + steps)


def people_of(house: House) -> People:
    """Give the people of a house, with passwords that cost little."""
    made = People.of(house)
    made.entering.drawer.cost = CHEAP
    return made


def asking(house: House, after: int = 0) -> Asking:
    now = Instant(house.passage.clock() + after)
    return Asking(KEEPER, Purpose.SYSTEM_ADMINISTRATION, RequestId(new_id()), now)


def where(device: str = "a", network: str = "82.65.1.2") -> Where:
    token = hashlib.sha256(device.encode()).digest()[:16]
    return Where(token, "Firefox, Linux", network, ".".join(network.split(".")[:2]))


def doctor(number: int = 0) -> Exercise:
    """Give an exercise of a doctor of their own, or of the one with this number."""
    actor = f"rpps:1{number or next(_numbers):010d}"
    return Exercise("1", actor, "professional", "associate", "10", structure="a", label="Cabinet")


def enrolled(house: House, people: People, login: str, *exercises: Exercise) -> Account:
    return people.accounts.add(asking(house), Account("", f"Dr {login.title()}", exercises, login))


def with_password(house: House, people: People, login: str, *exercises: Exercise) -> Somebody:
    """Enrol somebody who took their invitation with a password and one-time codes."""
    account = enrolled(house, people, login, *exercises)
    entering, now = people.entering, asking(house)
    code = entering.inviting.invite(now, account.id)
    secret = entering.own.secret(now, account, where())
    typed = one_time_code(secret.value, now.now // STEP)
    _, recovery = entering.own.join_by_password(
        now, code, (PASSWORD, PASSWORD), (secret.ticket, typed), where()
    )
    return Somebody(house, people, account, secret.value, recovery)
