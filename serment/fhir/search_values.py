"""What a search parameter finds in an element, as plain values that MessagePack can carry.

One function for each element type that a search parameter may point at; it appends to a list:

- token: `[system, code]`, `[system, code, text]` or `[nil, nil, text]`. `system` nil: the element
  has none; 0: implied by the binding of a `code` (`Parameter.implied` names it). Codes are in lower
  case unless their system is case-sensitive: R4 search.html#token, "when in doubt, servers SHOULD
  treat tokens in a case-insensitive manner". `text` (text of the concept, display of a coding) is
  kept as written, for `:text`.
- reference: `[reference]`, `[reference, type]` or `[reference, type, system, value]` (identifier).
  `reference` is `Type/id`, an absolute URL or a URN, without `/_history/…`; nil when absent or contained.
- date: `[low, high]`, see `serment.fhir.dates`.
- string: `[folded]`, or `[folded, raw]` where folding changed something.
- uri: `[uri]`. number: `[low, high]`, decimals as text so that no digit is lost, nil for an open end.
- quantity: `[low, high, system, code, unit, comparator]`, nils cut at the end.

Order: tokens, references, dates, strings, numbers, the table. An element of an unexpected shape gives
nothing: saying so is the work of validation. Nothing is raised here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, Final

from serment.fhir import dates

IMPLIED: Final = 0
"""Stands for the system of a `code`, which the binding of its element implies."""

CASE_SENSITIVE: Final = frozenset({"http://unitsofmeasure.org"})
"""Code systems whose codes differ by case (UCUM: `mg` is not `Mg`)."""

Values = list[list[Any]]
Collect = Callable[[Any, str, Values], None]
"""From (element, argument of the path, list to append to)."""


def folded_code(system: str | None, code: str) -> str:
    """Give the form in which a code is compared."""
    return code if system in CASE_SENSITIVE else code.lower()


def _text(value: Any) -> str | None:
    """Give a string that is there, else None."""
    return value if isinstance(value, str) and value else None


def _implied_code(element: Any, argument: str, out: Values) -> None:
    if isinstance(element, str):
        out.append([IMPLIED if argument else None, element.lower()])


def _plain_token(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, str):
        out.append([None, element.lower()])


def _boolean(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, bool):
        out.append([IMPLIED, "true" if element else "false"])


def _deceased(patient: Any, _argument: str, out: Values) -> None:
    """Work out `Patient.deceased.exists() and Patient.deceased != false` on a whole Patient.

    True or false, also when nothing is written; no value when only an extension stands there (the
    expression is then empty).
    """
    written = patient.get("deceasedDateTime", patient.get("deceasedBoolean"))
    if written is not None:
        out.append([IMPLIED, "false" if written is False else "true"])
    elif "_deceasedBoolean" not in patient and "_deceasedDateTime" not in patient:
        out.append([IMPLIED, "false"])


def _coding(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, dict):
        _coded(element, "code", _text(element.get("display")), out)


def _coded(element: dict[str, Any], name: str, text: str | None, out: Values) -> None:
    system, code = _text(element.get("system")), _text(element.get(name))
    if code is not None:
        code = folded_code(system, code)
    if text is not None:
        out.append([system, code, text])
    elif system is not None or code is not None:
        out.append([system, code])


def _concept(element: Any, _argument: str, out: Values) -> None:
    if not isinstance(element, dict):
        return
    text, said = _text(element.get("text")), False
    codings = element.get("coding")
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, dict):
            display = _text(coding.get("display"))
            said = said or display == text
            _coded(coding, "code", display, out)
    if text is not None and not said:
        out.append([None, None, text])


def _identifier(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, dict):
        kind = element.get("type")
        _coded(element, "value", _text(kind.get("text")) if isinstance(kind, dict) else None, out)


def _contact_point(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, dict) and (value := _text(element.get("value"))):
        out.append([None, value.lower()])


def reference_type(reference: str) -> str:
    """Give the resource type that a literal reference names, "" when it names none."""
    parts = reference.split("/")
    return parts[-2] if len(parts) >= 2 and parts[-2][:1].isupper() else ""


def _reference(element: Any, argument: str, out: Values) -> None:
    if not isinstance(element, dict):
        return
    literal = _text(element.get("reference"))
    if literal is not None:
        literal = None if literal.startswith("#") else literal.split("/_history/")[0]
    declared = _text(element.get("type"))
    if argument and argument != (reference_type(literal or "") or declared):
        return
    identifier = element.get("identifier")
    if isinstance(identifier, dict) and (value := _text(identifier.get("value"))):
        system = _text(identifier.get("system"))
        out.append([literal, declared, system, folded_code(system, value)])
    elif literal is not None:
        out.append([literal] if declared is None else [literal, declared])


def _canonical(element: Any, _argument: str, out: Values) -> None:
    if text := _text(element):
        out.append([text])


def _inline(element: Any, _argument: str, out: Values) -> None:
    """Take a resource that stands in the place of a reference (first entry of a document bundle)."""
    if isinstance(element, dict) and _text(element.get("id")) and _text(element.get("resourceType")):
        out.append([f"{element['resourceType']}/{element['id']}"])


def _span(text: Any) -> dates.Range | None:
    try:
        return dates.parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _date(element: Any, _argument: str, out: Values) -> None:
    if span := _span(element):
        out.append(list(span))


def _period_span(element: Any) -> dates.Range | None:
    """Give the outer limits of a Period: a missing end lies before or after every date (search.html#date)."""
    if not isinstance(element, dict):
        return None
    start, end = _span(element.get("start")), _span(element.get("end"))
    if start is None and end is None:
        return None
    return (start[0] if start else dates.EARLIEST, end[1] if end else dates.LATEST)


def _period(element: Any, _argument: str, out: Values) -> None:
    if span := _period_span(element):
        out.append(list(span))


def _timing(element: Any, _argument: str, out: Values) -> None:
    """Take the outer limits of a Timing: its events and `repeat.boundsPeriod` (search.html#date)."""
    if not isinstance(element, dict):
        return
    events = element.get("event")
    spans = [_span(event) for event in events] if isinstance(events, list) else []
    repeat = element.get("repeat")
    spans.append(_period_span(repeat.get("boundsPeriod")) if isinstance(repeat, dict) else None)
    found = [span for span in spans if span]
    if found:
        out.append([min(low for low, _ in found), max(high for _, high in found)])


_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"})
"""Letters that Unicode does not take apart and that people type as these."""


def folded(text: str) -> str:
    """Fold a text for string search: case, accents, punctuation and blanks do not count.

    An apostrophe vanishes, so that "oneil" finds O'Neil; other punctuation parts words as a blank does.
    """
    text = text.casefold()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
        text = "".join(c for c in text if not unicodedata.combining(c))
    text = text.replace("'", "").replace("’", "")
    return " ".join("".join(c if c.isalnum() else " " for c in text).split())


def _string(element: Any, _argument: str, out: Values) -> None:
    if text := _text(element):
        plain = folded(text)
        out.append([plain] if plain == text else [plain, text])


def _parts(names: tuple[str, ...]) -> Collect:
    """Make the function that takes every named part of a complex type as a string."""

    def collect(element: Any, argument: str, out: Values) -> None:
        if isinstance(element, dict):
            for name in names:
                part = element.get(name)
                for text in part if isinstance(part, list) else (part,):
                    _string(text, argument, out)

    return collect


def _number_text(value: Any) -> str | None:
    """Write a number with the digits that it had."""
    return None if value is None or isinstance(value, bool) else str(value)


def _number(element: Any, _argument: str, out: Values) -> None:
    if (text := _number_text(element)) is not None:
        out.append([text, text])


def _measured(low: Any, high: Any, unit: dict[str, Any], out: Values) -> None:
    ends = [_number_text(low), _number_text(high)]
    if ends == [None, None]:
        return
    names = ("system", "currency" if "currency" in unit else "code", "unit", "comparator")
    row = [*ends, *(_text(unit.get(name)) for name in names)]
    while row[-1] is None:
        row.pop()
    out.append(row)


def _quantity(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, dict):
        _measured(element.get("value"), element.get("value"), element, out)


def _range(element: Any, _argument: str, out: Values) -> None:
    if isinstance(element, dict):
        low, high = element.get("low"), element.get("high")
        low, high = (low if isinstance(low, dict) else {}), (high if isinstance(high, dict) else {})
        _measured(low.get("value"), high.get("value"), low or high, out)


_NAME = _parts(("family", "given", "prefix", "suffix", "text"))
_ADDRESS = _parts(("line", "city", "district", "state", "postalCode", "country", "text"))

COLLECT: Final[dict[tuple[str, str], Collect]] = {
    ("token", "code"): _implied_code,
    ("token", "Coding"): _coding,
    ("token", "CodeableConcept"): _concept,
    ("token", "Identifier"): _identifier,
    ("token", "ContactPoint"): _contact_point,
    ("token", "boolean"): _boolean,
    ("token", "$deceased"): _deceased,
    ("token", "string"): _plain_token,
    ("token", "id"): _plain_token,
    ("token", "uri"): _plain_token,
    ("reference", "Reference"): _reference,
    ("reference", "canonical"): _canonical,
    ("reference", "uri"): _canonical,
    ("reference", "Resource"): _inline,
    ("date", "date"): _date,
    ("date", "dateTime"): _date,
    ("date", "instant"): _date,
    ("date", "Period"): _period,
    ("date", "Timing"): _timing,
    ("string", "string"): _string,
    ("string", "markdown"): _string,
    ("string", "HumanName"): _NAME,
    ("string", "Address"): _ADDRESS,
    ("uri", "uri"): _canonical,
    ("uri", "url"): _canonical,
    ("uri", "canonical"): _canonical,
    ("uri", "oid"): _canonical,
    ("number", "integer"): _number,
    ("number", "decimal"): _number,
    ("number", "positiveInt"): _number,
    ("number", "unsignedInt"): _number,
    ("number", "Range"): _range,
    ("quantity", "Quantity"): _quantity,
    ("quantity", "Money"): _quantity,
    ("quantity", "Range"): _range,
}
"""(parameter type, element type) → how its values are taken. SampledData gives none."""
