"""Try the frequency attack on person tokens, and write what it recovers into docs/explanation/leakage.md.

`python -m tools.render_leakage --measure` tries the attack (a minute) and keeps the figures in
`bench/leakage.json`; without it the page is written from those; with `--check` it is compared with them. The
attack is deterministic: invented people with names as common as they are in France (`benchmarks.namesakes`),
a fixed key, no clock.

A thief has the table of tokens and not its key. Who knows *statistics* has the values of as many other
people: tokens are put in the order of their counts, values in the order of theirs, and the two are matched.
Who knows *the list* knows every patient and all their traits: a token is guessed among the values that as
many of them bear, and a record among the patients whose values are borne as often as its tokens. Recovered
is the share of tokens in records that are told right; of the list, as expected over the guesses.

Order: the people, the attack, the page.
"""

from __future__ import annotations

import hmac
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from benchmarks.namesakes import Bearer, bearers, family_name
from serment.demo.traits import draws
from serment.identity.keys import person_keys
from serment.keys.installation import PERSON_TOKEN_SIZE
from tools.generated import kept

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "explanation" / "leakage.md"
KEPT = ROOT / "bench" / "leakage.json"
BEGIN = "<!-- frequency attack: python -m tools.render_leakage writes these tables -->"
END = "<!-- end of the frequency attack -->"
BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)

PEOPLE: Final = 100_000
LARGE: Final = 1_000_000
SEED: Final = "a stolen disk"
STORED_BITS: Final = 8 * PERSON_TOKEN_SIZE
LENGTHS: Final = (16, 20, 24, 28, 32, 64)

ALONE: Final = "name"
KINDS: Final = {
    ALONE: "the family name alone (**not stored**, for contrast)",
    "ins": "INS",
    "dob": "birth date, sound of the family name",
    "call": "birth date, sound of the first given name",
    "born": "birth date, initials",
    "near": "two parts of the birth date, sound of the family name, initial",
}
"""What the tokens are of, by what their keys begin with (`identity/keys`)."""

Record = tuple[str, ...]
"""The keys of one person, as `person_keys` lists them."""


@dataclass(frozen=True, slots=True)
class OfKind:
    """What is recovered of tokens of one kind; `each` of them a person, `most` records share one."""

    kind: str
    each: float
    statistics: float
    known: float
    most: int


@dataclass(frozen=True, slots=True)
class OfLength:
    """What a length of tokens hides and costs, all kinds together.

    `reason` pairs of records share a token for what it is of, `chance` for its shortness only; `linked` is
    the share of records that the list tells apart; `astray` how many wrong records one key meets among
    `LARGE` patients.
    """

    bits: int
    reason: int
    chance: int
    linked: float
    astray: float


# The people.


def records(seed: str, people: int) -> list[Record]:
    """Draw people, and list the keys of each; the name alone comes with them, for contrast."""
    return [tuple(_keys(seed, place, one)) for place, one in enumerate(bearers(seed, people))]


def _keys(seed: str, place: int, one: Bearer) -> Iterator[str]:
    yield f"ins|{seed}|{place}"
    yield from (f"{ALONE}|{sound}" for sound in one.sounds())
    yield from person_keys(_patient(one))


def _patient(one: Bearer) -> dict[str, Any]:
    given = one.given.split()
    names = [{"use": "official", "family": family_name(one.rank), "given": given}]
    if one.used:
        names.append({"use": "usual", "family": family_name(one.used), "given": given[:1]})
    return {"resourceType": "Patient", "name": names, "birthDate": one.birth_date, "gender": one.sex}


def _of_kind(kind: str, all_: Sequence[Record]) -> Counter[str]:
    return Counter(key for keys in all_ for key in keys if key.partition("|")[0] == kind)


# The attack.


def of_kind(kind: str, patients: Sequence[Record], others: Sequence[Record]) -> OfKind:
    """Try both thieves on the tokens of one kind."""
    borne, elsewhere = _of_kind(kind, patients), _of_kind(kind, others)
    whole = borne.total()
    tokens = _ordered({_token(value, STORED_BITS): times for value, times in borne.items()})
    values = _ordered(elsewhere)
    told = zip(tokens, values, strict=False)
    right = sum(
        borne[value] for token, value in told if value in borne and _token(value, STORED_BITS) == token
    )
    alike = Counter(borne.values())
    known = sum(times for times in alike)
    return OfKind(kind, whole / len(patients), right / whole, known / whole, max(borne.values()))


def of_length(bits: int, patients: Sequence[Record]) -> OfLength:
    """See what tokens of so many bits hide, and what they cost."""
    stored = [tuple(key for key in keys if not key.startswith(f"{ALONE}|")) for keys in patients]
    borne = Counter(chain.from_iterable(stored))
    token = {value: _token(value, bits) for value in borne}
    met: Counter[int] = Counter()
    for value, times in borne.items():
        met[token[value]] += times
    expected = [tuple(sorted(borne[value] for value in keys)) for keys in stored]
    seen = [tuple(sorted(met[token[value]] for value in keys)) for keys in stored]
    alike = Counter(expected)
    linked = sum(1 / alike[one] for one, other in zip(expected, seen, strict=True) if one == other)
    reason = _pairs(borne)
    each = borne.total() / len(patients)
    return OfLength(bits, reason, _pairs(met) - reason, linked / len(patients), LARGE * each / 2**bits)


def _ordered(counts: Mapping[Any, int]) -> list[Any]:
    """Put the most frequent first, those of one count in no order that tells."""
    listed = list(counts)
    draws(SEED).shuffle(listed)
    return sorted(listed, key=counts.__getitem__, reverse=True)


def _token(value: str, bits: int) -> int:
    mac = hmac.digest(SEED.encode(), value.encode(), "sha256")
    return int.from_bytes(mac[:8], "big") >> (64 - bits)


def _pairs(counts: Mapping[Any, int]) -> int:
    """Count the pairs of records that share something."""
    return sum(times * (times - 1) // 2 for times in counts.values())


def measured(people: int = PEOPLE) -> dict[str, Any]:
    """Try the attack, and give its figures."""
    patients, others = records(SEED, people), records(f"not {SEED}", people)
    return {
        "people": people,
        "kinds": [asdict(of_kind(kind, patients, others)) for kind in KINDS],
        "lengths": [asdict(of_length(bits, patients)) for bits in LENGTHS],
    }


# The page.


def block(figures: Mapping[str, Any]) -> str:
    """Write the tables of the page."""
    return "\n".join(
        [
            BEGIN,
            f"Tried on {_whole(figures['people'])} invented people with names as common as in France:",
            "",
            "| token of | each person | recovered with statistics | recovered with the list | "
            "shared by at most |",
            "|---|---|---|---|---|",
            *(_kind(OfKind(**one)) for one in figures["kinds"]),
            "",
            "| bits | pairs of records that share a token for a reason | by chance | "
            "records linked with the list | wrong records met by one key among a million patients |",
            "|---|---|---|---|---|",
            *(_length(OfLength(**one)) for one in figures["lengths"]),
            END,
        ]
    )


def _kind(one: OfKind) -> str:
    shares = f"{_percent(one.statistics)} | {_percent(one.known)}"
    return f"| {KINDS[one.kind]} | {one.each:.2f} | {shares} | {_whole(one.most)} |"


def _length(one: OfLength) -> str:
    bits = f"**{one.bits}** (stored)" if one.bits == STORED_BITS else str(one.bits)
    pairs = f"{_whole(one.reason)} | {_whole(one.chance)}"
    return f"| {bits} | {pairs} | {_percent(one.linked)} | {one.astray:.2g} |"


def _percent(share: float) -> str:
    return f"{100 * share:.3f} %"


def _whole(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def main(arguments: Sequence[str]) -> int:
    """Measure, write the tables, or say that they are old."""
    if "--measure" in arguments:
        KEPT.write_text(json.dumps(measured(), indent=1) + "\n", "utf-8")
    page = PAGE.read_text("utf-8")
    if BEGIN not in page:
        raise ValueError(f"{PAGE.name} has no place for the tables")
    new = BLOCK.sub(lambda _: block(json.loads(KEPT.read_text("utf-8"))), page)
    return kept({PAGE: new}, arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
