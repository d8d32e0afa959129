"""ValueSet/$expand and $validate-code over what is shipped: R4's own lists, and Serment's.

The lists are the same for everybody who is signed in: nothing of a record is looked at, and a ValueSet
that somebody put in the directory is not consulted. What a parameter means is R4 valueset-operations.html;
any that is not named here is refused. Order: our own lists, the operations, their parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from serment.access import categories
from serment.access.policy import shipped_policy
from serment.access.record_facts import ON_CALL
from serment.access.relations import DECLARED_REASONS
from serment.api import negotiation
from serment.api.fhir import answer, who
from serment.door.asking import language_of
from serment.errors import MalformedError, NotSupportedError, RequestError
from serment.fhir import document, terminology
from serment.fhir.terminology import MAX_CODES, CodeSystem, Coding, Terminology, ValueSet, Window
from serment.fhir.validate import check
from serment.model import EmergencyReason, Label
from serment.words import Language, say

REASON: Final = "urn:serment:reason"
DECLARED: Final = "urn:serment:declared-reason"
LABELS: Final = "urn:serment:labels"
DOCUMENT_TYPES: Final = "urn:serment:document-types"
_FRENCH_TYPES: Final = "urn:oid:1.2.250.1.213.1.1.4.12"
_LOINC: Final = "http://loinc.org"

_EXPAND: Final = {"url": str, "filter": str, "count": int, "offset": int}
_IN_SET: Final = {
    "url": str,
    "system": str,
    "code": str,
    "display": str,
    "coding": dict,
    "codeableConcept": dict,
}
_IN_SYSTEM: Final = {"url": str, "code": str, "display": str, "coding": dict}

Given = Mapping[str, Any]


@cache
def known(language: Language) -> Terminology:
    """Give everything that is shipped, our own words in one language."""
    return terminology.shipped() | _ours(language)


def _ours(language: Language) -> Terminology:
    def worded(kind: str, codes: list[str]) -> dict[str, str]:
        return {code: say(f"terminology.{kind}-{code}", language) for code in codes}

    declared = sorted({*DECLARED_REASONS, ON_CALL})
    systems = [
        CodeSystem(REASON, "EmergencyReason", REASON, worded("reason", [*map(str, EmergencyReason)])),
        CodeSystem(DECLARED, "DeclaredReason", DECLARED, worded("declared", declared)),
        *(
            CodeSystem(system, "", system, worded("label", codes), complete=system == categories.OURS)
            for system, codes in _labels().items()
            if system not in terminology.shipped().systems
        ),
        CodeSystem(_FRENCH_TYPES, "TRE_A05", "TRE_A05-TypeDocComplementaire", _types(loinc=False), "", False),
        CodeSystem(_LOINC, "LOINC", "LOINC", _types(loinc=True), "", False),
    ]
    sets = [
        ValueSet(REASON, "EmergencyReason", REASON, ((REASON, tuple(systems[0].concepts)),)),
        ValueSet(DECLARED, "DeclaredReason", DECLARED, ((DECLARED, tuple(systems[1].concepts)),)),
        ValueSet(LABELS, "Labels", LABELS, tuple((one, tuple(codes)) for one, codes in _labels().items())),
        ValueSet(
            DOCUMENT_TYPES,
            "DocumentTypes",
            "JDV_J07-XdsTypeCode-CISIS",
            ((_FRENCH_TYPES, tuple(_types(loinc=False))), (_LOINC, tuple(_types(loinc=True)))),
        ),
    ]
    return Terminology({one.url: one for one in systems}, {one.url: one for one in sets})


def _labels() -> dict[str, list[str]]:
    """Give the security labels that the decision reads, by the system under which they are sent."""
    masks = {Label.INVISIBLE_PATIENT, Label.MINOR_SECRET, Label.MASKED}
    grades = {Label.NORMAL, Label.RESTRICTED, Label.VERY_RESTRICTED}
    rest = [str(one) for one in Label if one not in masks | grades | {Label.THIRD_PARTY}]
    return {
        "http://terminology.hl7.org/CodeSystem/v3-Confidentiality": ["N", "R", "V"],
        "urn:oid:1.2.250.1.213.1.1.4.13": sorted(map(str, masks)),
        "http://terminology.hl7.org/CodeSystem/v3-ActCode": rest,
        categories.OURS: [str(Label.THIRD_PARTY)],
    }


def _types(*, loinc: bool) -> dict[str, str]:
    """Give the document types of JDV_J07 with their French words: those of LOINC, or the national ones."""
    types = shipped_policy().types.values()
    return {one.code: one.label for one in types if (one.code[:1].isdigit() and "-" in one.code) == loinc}


async def expand(request: Request) -> Response:
    """GET or POST ValueSet/$expand: the codes of one value set, in pages when asked."""
    _, asking = who(request)
    given = await _given(request, _EXPAND)
    count, offset = int(given.get("count", MAX_CODES)), int(given.get("offset", 0))
    window = Window(str(given.get("filter", "")), count, offset)
    language = language_of(request)
    return answer(terminology.expansion(known(language), _url(given), window, asking.now))


async def validate_in_set(request: Request) -> Response:
    """GET or POST ValueSet/$validate-code: whether a code is in a value set."""
    who(request)
    given = await _given(request, _IN_SET)
    codes = _codes(given)
    language = language_of(request)
    found = terminology.in_set(known(language), _url(given), codes)
    return _verdict(found, given, codes, language)


async def validate_in_system(request: Request) -> Response:
    """GET or POST CodeSystem/$validate-code: whether a code system has a code."""
    who(request)
    given = await _given(request, _IN_SYSTEM)
    codes = _codes(given)
    language = language_of(request)
    found = terminology.in_system(known(language), _url(given), codes[0].code)
    return _verdict(found, given, codes, language)


def _verdict(found: Coding | None, given: Given, codes: list[Coding], language: Language) -> Response:
    display = str(given.get("display", "")) or next((one.display for one in codes if one.display), "")
    sentence = "terminology.not-in" if found is None else "terminology.other-display"
    return answer(terminology.verdict(found, display, say(sentence, language)))


async def _given(request: Request, taken: Mapping[str, type]) -> Given:
    """Read the parameters of an operation: of the address, or of a Parameters resource.

    Raises `NotSupportedError` for one that is not taken, `MalformedError` for one given twice or ill formed.
    """
    pairs: list[tuple[str, Any]] = list(negotiation.query(request))
    if request.method == "POST":
        sent = document.read(await negotiation.resource(request))
        check(sent)
        if sent.type != "Parameters":
            raise RequestError("terminology.parameters")
        pairs += [(str(one["name"]), _value(one)) for one in sent.value.get("parameter", [])]
    given: dict[str, Any] = {}
    for name, value in pairs:
        if name not in taken:
            raise NotSupportedError("terminology.parameter")
        if name in given:
            raise MalformedError("terminology.twice")
        given[name] = _read(value, taken[name])
    return given


def _value(parameter: Mapping[str, Any]) -> Any:
    return next((value for name, value in parameter.items() if name.startswith("value")), None)


def _read(value: Any, kind: type) -> Any:
    """Read one parameter as its type. Raises `MalformedError`."""
    if kind is int and isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    if not isinstance(value, kind) or (isinstance(value, int) and not 0 <= value < 2**31):
        raise MalformedError("terminology.parameters")
    return value


def _url(given: Given) -> str:
    if not given.get("url"):
        raise RequestError("terminology.url-missing")
    return str(given["url"])


def _codes(given: Given) -> list[Coding]:
    """Give what is asked about: one code, one coding, or the codings of a concept; exactly one way.

    Raises `RequestError`.
    """
    ways = [name for name in ("code", "coding", "codeableConcept") if name in given]
    if len(ways) != 1:
        raise RequestError("terminology.code-missing")
    if ways[0] == "code":
        return [Coding(str(given.get("system", "")), str(given["code"]), "")]
    codings = [given["coding"]] if ways[0] == "coding" else given["codeableConcept"].get("coding", [])
    found = [
        Coding(str(one.get("system", "")), str(one["code"]), str(one.get("display", "")))
        for one in codings
        if isinstance(one, dict) and "code" in one
    ]
    if not found:
        raise RequestError("terminology.code-missing")
    return found
