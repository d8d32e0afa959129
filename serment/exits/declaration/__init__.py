"""Declarations that the law demands: a listed disease, a death, its causes, a birth. What each may hold.

A duty of the professional, not a sharing: no opposition of the patient stops it (CSP L3113-1, Code civil 55
and 78), and nothing but the fields of the form leaves. Identity comes from the record, through its own
decision (`access/duty`) and its own trace; everything else is what the declarant states. Serment sends
nothing by itself: it writes the declaration, says to whom and how fast, and gives a receipt (ADR 53).

Order: the forms as data, what a declarant states, the declaration. Pure.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from serment.errors import RequestError
from serment.model import Function

IDENTITY: Final = "identity"

_SHAPES: Final = {
    "time": re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"),
    "insee": re.compile(r"(?:[0-9]{5}|2[AB][0-9]{3})"),
    "department": re.compile(r"(?:[0-9]{2,3}|2[AB])"),
    "yes-no": re.compile(r"yes|no"),
    "telephone": re.compile(r"\+?[0-9 .]{6,20}"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `kind` says what stands in it, `values` what that kind needs to know."""

    name: str
    required: bool
    kind: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its fields, the functions that owe it, who receives it."""

    name: str
    fields: tuple[Field, ...]
    owed_by: frozenset[str]
    recipient: str

    @property
    def of_identity(self) -> tuple[str, ...]:
        """Name what is filled from the record."""
        return tuple(one.name for one in self.fields if one.kind == IDENTITY)


@dataclass(frozen=True, slots=True)
class Stated:
    """What a declarant states, held against the form. `at_once`: the recipient is called without delay."""

    form: Form
    fields: Mapping[str, str] = field(repr=False)
    at_once: bool

    @property
    def of_identity(self) -> tuple[str, ...]:
        """Name what is filled from the record for this declaration."""
        hidden = self.fields.get("secrecy") == "yes"
        return tuple(name for name in self.form.of_identity if not (hidden and name == "mother"))


@dataclass(frozen=True, slots=True)
class Declaration:
    """What leaves, and the digest that its receipt carries."""

    stated: Stated
    content: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@cache
def forms() -> Mapping[str, Form]:
    """Read `forms.csv`: name → form."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in _rows("forms.csv"):
        found.setdefault(row["form"], []).append(row)
    return {name: _form(name, rows) for name, rows in found.items()}


@cache
def diseases() -> Mapping[str, bool]:
    """Read `mdo.csv`: key of each listed disease → whether it is told without delay (decree 2023-716)."""
    return {row["key"]: row["urgency"] == "without delay" for row in _rows("mdo.csv")}


def owes(form: str, function: Function) -> bool:
    """Say whether a function owes such a declaration; nobody owes a form that there is not."""
    known = forms().get(form)
    return known is not None and function.value in known.owed_by


def stated(form: str, said: Mapping[str, str], today: date) -> Stated:
    """Hold what a declarant states against the form. Raises `RequestError`.

    A field that is not of the form is refused, and so is one that only the record fills: what is declared is
    what the law names. No message repeats what was stated.
    """
    known = forms().get(form)
    if known is None:
        raise RequestError("declaration.form-unknown", forms=", ".join(forms()))
    fields = {one.name: one for one in known.fields if one.kind != IDENTITY}
    if not said.keys() <= fields.keys():
        raise RequestError("declaration.beyond", fields=", ".join(fields))
    for one in fields.values():
        if one.required and one.name not in said:
            raise RequestError("declaration.missing", field=one.name)
    for name, text in said.items():
        if not _fits(fields[name], text, today):
            raise RequestError("declaration.value", field=name)
    return Stated(known, dict(said), diseases().get(said.get("disease", ""), form != "cause-of-death"))


def composed(what: Stated, identity: Mapping[str, Any], declarant: str, today: date) -> Declaration:
    """Write the declaration: the form's fields, the identity that it names, and who declares.

    `identity` is the Patient resource of the record, of which only what the form names is read; `declarant`
    is an RPPS number.
    """
    from_record = {name: _IDENTITY[name](identity, today) for name in what.of_identity}
    content = {"form": what.form.name, "declarant": declarant, **from_record, **what.fields}
    return Declaration(what, msgspec.json.encode(content, order="sorted"))


def _fits(one: Field, text: str, today: date) -> bool:
    if one.kind == "disease":
        return text in diseases()
    if one.kind == "one-of":
        return text in one.values
    if one.kind == "day":
        try:
            return date.fromisoformat(text) <= today and len(text) == 10
        except ValueError:
            return False
    if one.kind == "words":
        return bool(text.strip()) and len(text) <= int(one.values[0])
    return _SHAPES[one.kind].fullmatch(text) is not None


def _form(name: str, rows: list[dict[str, str]]) -> Form:
    fields = tuple(
        Field(row["field"], row["required"] == "yes", row["kind"], tuple(row["values"].split()))
        for row in rows
    )
    owed = frozenset(function for row in rows for function in row["who"].split())
    return Form(name, fields, owed, next(row["recipient"] for row in rows if row["recipient"]))


def _rows(file: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(file).read_text("utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


def _name(patient: Mapping[str, Any], _today: date) -> str:
    for one in patient.get("name") or ():
        given = " ".join(one.get("given") or ())
        if one.get("family"):
            return f"{one['family']} {given}".strip()
    return ""


def _birth_date(patient: Mapping[str, Any], _today: date) -> str:
    return str(patient.get("birthDate", ""))


def _sex(patient: Mapping[str, Any], _today: date) -> str:
    return str(patient.get("gender", "unknown"))


def _age(patient: Mapping[str, Any], today: date) -> str:
    """Give completed years; "" where the birth date does not say them."""
    try:
        born = date.fromisoformat(_birth_date(patient, today))
    except ValueError:
        return ""
    return str(today.year - born.year - ((today.month, today.day) < (born.month, born.day)))


_IDENTITY: Final = {
    "name": _name,
    "mother": _name,
    "birth-date": _birth_date,
    "sex": _sex,
    "age": _age,
}
"""How what a form names is read from the record's Patient."""
