"""What searches that reach other items tell of a record: chains, `_has`, includes, summaries, negations.

Each gives a type and criteria for `twins.told`. Observations of the twins refer to one another (`focus`)
and hold a value, so that a hidden item stands behind a visible one and before another.
"""

from __future__ import annotations

from collections.abc import Iterator

Pairs = list[tuple[str, str]]

REACHING: tuple[tuple[str, str], ...] = (
    # hapi-fhir #6065: a forbidden item that serves as a criterion
    ("focus:Observation.code", "8867-4"),
    ("focus:Observation.value-quantity", "gt1"),
    ("focus:Observation.focus:Observation.code", "718-7"),
    ("focus:Condition.code", "8867-4"),
    ("_has:Observation:focus:code", "8867-4"),
    ("_has:Observation:focus:value-quantity", "le3"),
    ("_has:Observation:focus:_has:Observation:focus:code", "2089-1"),
    ("patient.family", "twin"),
    ("patient.phone", "01 99 00 00 00"),
    ("patient.general-practitioner:Practitioner.name", "a"),
    # negations see what is not there, never what is hidden
    ("code:not", "8867-4"),
    ("code:missing", "true"),
    ("focus:missing", "false"),
    ("code:text", "version"),
    ("_security:not", "R"),
    ("_tag:missing", "true"),
    # numbers
    ("value-quantity", "ge2"),
    ("value-quantity", "2"),
    ("code-value-quantity", "8867-4$lt4"),
)
RULING: tuple[Pairs, ...] = (
    # microsoft/fhir-server #5683: what a page brings, and its continuation pages
    [("_include", "Observation:focus")],
    [("_include", "Observation:focus"), ("_count", "1"), ("_sort", "date")],
    [("_revinclude", "Observation:focus"), ("_count", "2"), ("_sort", "-value-quantity")],
    [("_include", "Observation:patient"), ("_include", "Observation:performer"), ("_count", "1")],
    [("_summary", "true")],
    [("_summary", "text")],
    [("_summary", "count")],
    [("_elements", "value,focus"), ("_sort", "value-quantity")],
)


def reaching(patient: str) -> Iterator[tuple[str, Pairs]]:
    """Give searches of every kind, of the observations and of the person."""
    owner = ("patient", patient)
    for criterion in REACHING:
        yield "Observation", [owner, criterion]
    for more in RULING:
        yield "Observation", [owner, *more]
    for criterion in (
        ("_has:Observation:patient:code", "8867-4"),
        ("_has:Observation:patient:value-quantity", "gt3"),
        ("_has:RelatedPerson:patient:relationship", "MTH"),
        ("_revinclude", "Observation:subject"),
        ("_revinclude", "Consent:patient"),
        ("_summary", "true"),
        ("phone:missing", "true"),
    ):
        yield "Patient", [("_id", patient), criterion]
