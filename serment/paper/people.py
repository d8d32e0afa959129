"""Who writes and of whom it speaks, as a sheet shows them. Values only; dates are ISO 8601 (`YYYY-MM-DD`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from babel.dates import format_date

from serment.paper.press import Pair, Text
from serment.words import Language, say

CHILD = 18
"""Years below which a prescription shows the weight (ADR 61: what a prescription must bear)."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A professional and the place where they work. `number` is the RPPS (11 digits) or ""."""

    name: str = field(repr=False)
    title: str = ""
    number: str = field(default="", repr=False)
    structure: str = ""
    address: str = field(default="", repr=False)
    contact: str = field(default="", repr=False)
    supervisor: str = field(default="", repr=False)
    replaces: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Subject:
    """The person of whom a sheet speaks. `sex` is FHIR's; `matricule` only under a qualified identity.

    `weight` and `height` are written out with their unit and date, or "".
    """

    name: str = field(repr=False)
    birth_name: str = field(default="", repr=False)
    born: str = field(default="", repr=False)
    sex: str = ""
    matricule: str = field(default="", repr=False)
    weight: str = field(default="", repr=False)
    height: str = field(default="", repr=False)

    def age(self, on: date) -> int | None:
        """Give the age in whole years, None when the birth date is not whole."""
        try:
            born = date.fromisoformat(self.born)
        except ValueError:
            return None
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def in_words(day: date, language: Language) -> str:
    """Write a date as a letter does: 22 novembre 2026, 1er mars 2026."""
    said = format_date(day, "d MMMM y", locale=language.value)
    return "1er" + said[1:] if language is Language.FR and day.day == 1 else str(said)


def day_in_words(text: str, language: Language) -> str:
    """Write a FHIR date in words; one that is not whole stands as it is."""
    try:
        return in_words(date.fromisoformat(text[:10]), language)
    except ValueError:
        return text


def letterhead(writer: Writer, subject: Subject, on: date, language: Language) -> Pair:
    """Put writer and patient side by side, as a French practice does."""
    return Pair(tuple(_of_writer(writer, language)), tuple(_of_subject(subject, on, language)))


def _of_writer(writer: Writer, language: Language) -> Iterable[Text]:
    yield Text(writer.name, bold=True)
    if writer.title:
        yield Text(writer.title)
    if writer.number:
        yield Text(say("paper.number", language, number=writer.number))
    for sentence, name in (("paper.replaces", writer.replaces), ("paper.supervised", writer.supervisor)):
        if name:
            yield Text(say(sentence, language, name=name))
    for line in (writer.structure, writer.address, writer.contact):
        if line:
            yield Text(line, small=True)


def _of_subject(subject: Subject, on: date, language: Language) -> Iterable[Text]:
    yield Text(say("paper.dated", language, date=in_words(on, language)), right=True)
    yield from identified(subject, on, language)


def identified(subject: Subject, on: date, language: Language) -> Iterable[Text]:
    """Say who a paper speaks of, so that nobody is taken for somebody else."""
    yield Text(subject.name, bold=True)
    if subject.birth_name and subject.birth_name != subject.name:
        yield Text(say("paper.birth-name", language, name=subject.birth_name), small=True)
    yield Text(_born(subject, on, language))
    if subject.matricule:
        yield Text(say("paper.matricule", language, number=subject.matricule), small=True)
    for sentence, value in (("paper.weight", subject.weight), ("paper.height", subject.height)):
        if value:
            yield Text(say(sentence, language, value=value))


def _born(subject: Subject, on: date, language: Language) -> str:
    sex = subject.sex if subject.sex in {"female", "male"} else "unknown"
    born, age = subject.born, subject.age(on)
    if age is None:
        return say(f"paper.born-{sex}", language, date=born)
    dated = in_words(date.fromisoformat(born), language)
    return say(f"paper.born-aged-{sex}", language, date=dated, age=age)
