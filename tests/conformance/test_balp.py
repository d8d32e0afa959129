"""AuditEvents against the RESTful patterns of IHE Basic Audit Log Patterns (BALP 1.1.3).

Every rule of PatientRead, PatientQuery, PatientCreate, PatientUpdate and PatientDelete that an instance can
break, written by hand from the sources of the guide (https://profiles.ihe.net/ITI/BALP/). `kept` False marks
what cannot be kept, with the reason that docs/reference/fhir.md gives: so that no event claims a profile. A
rule that is kept after all, or broken after all, fails here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from serment.fhir import document, validate
from serment.fhir.audit import Told, audit_event
from tests.architecture.source import ROOT

Json = dict[str, Any]

DCM = "http://dicom.nema.org/resources/ontology/DCM"
PART = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
CUSTODIAN = ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian")
ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
REQUEST = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PATTERNS = {
    "read": ("R", {"read", "vread"}, (DCM, "110152"), (DCM, "110153"), {"IRCP"}),
    "vread": ("R", {"read", "vread"}, (DCM, "110152"), (DCM, "110153"), {"IRCP"}),
    "search": ("E", {"search", "search-type", "search-system"}, (DCM, "110153"), (DCM, "110152"), {"IRCP"}),
    "create": ("C", {"create"}, (DCM, "110153"), (DCM, "110152"), {"AUT", "INF", "CST"}),
    "update": ("U", {"update", "patch"}, (DCM, "110153"), (DCM, "110152"), {"AUT", "INF", "CST"}),
    "delete": ("D", {"delete"}, (DCM, "110150"), CUSTODIAN, {"AUT", "INF", "CST"}),
}
"""Our word → action, subtypes, type of the client, of the server, of the user."""

TOLD = Told(
    patient="11111111-2222-4333-8444-555555555555",
    commitment=bytes(range(32)),
    t=1_795_262_400_000,
    request="22222222-2222-4333-8444-555555555555",
    interaction="read",
    denied=False,
    actor="rpps:99900001013",
    name="Dr Anne Exemple",
    function="doctor",
    profession="10",
    purpose="TREAT",
    reasons=(),
    ground="G2.team",
    resources=("Observation/o/_history/1",),
    count=1,
    named=True,
)


def event(interaction: str, **more: Any) -> Json:
    made: Json = json.loads(audit_event(replace(TOLD, interaction=interaction, **more)))
    return made


def coding(one: Json) -> tuple[str, str]:
    first = one["type"]["coding"][0] if "coding" in one["type"] else one["type"]
    return first["system"], first["code"]


class Seen:
    """An event and what its pattern asks of it."""

    def __init__(self, word: str) -> None:
        self.event = event(word)
        self.action, self.subtypes, client, server, users = PATTERNS[word]
        self.clients, self.servers = self.agents(client), self.agents(server)
        self.users = self.agents(*((PART, code) for code in users))
        self.data, self.patients = self.entities(ENTITY, "2"), self.entities(ENTITY, "1")
        self.requests = self.entities(REQUEST, "XrequestId")

    def agents(self, *kinds: tuple[str, str]) -> list[Json]:
        return [one for one in self.event["agent"] if coding(one) in kinds]

    def entities(self, system: str, code: str) -> list[Json]:
        return [one for one in self.event["entity"] if coding(one) == (system, code)]


NETWORK, QUERY, POLICY, SUBTYPE = "network address", "text of a search", "rule that let them", "own word"
"""What each reason is called on the page."""


@dataclass(frozen=True)
class Rule:
    """One rule: its place, its words, its test; `why` it is not kept, "" when it is."""

    path: str
    says: str
    test: Callable[[Seen], bool]
    why: str = ""
    only: frozenset[str] = frozenset(PATTERNS)
    verified: bool = True


READ = frozenset(PATTERNS) - {"search"}
SEARCH, DELETE = frozenset({"search"}), frozenset({"delete"})

RULES = [
    Rule("type", "= rest", lambda s: s.event["type"]["code"] == "rest"),
    Rule("subtype", "one of the pattern", lambda s: s.event["subtype"][0]["code"] in s.subtypes),
    Rule("subtype", "1..1", lambda s: len(s.event["subtype"]) == 1, SUBTYPE, DELETE),
    Rule("action", "fixed", lambda s: s.event["action"] == s.action),
    Rule("recorded", "1..1", lambda s: bool(s.event["recorded"])),
    Rule("outcome", "= 0", lambda s: s.event["outcome"] == "0"),
    Rule("source.observer", "1..1", lambda s: bool(s.event["source"]["observer"])),
    Rule("agent", "2..*", lambda s: len(s.event["agent"]) >= 2),
    Rule("agent:client", "1..1 with who and network", lambda s: len(s.clients) == 1, NETWORK),
    Rule("agent:server", "1..1", lambda s: len(s.servers) == 1),
    Rule("agent:server.who", "1..1", lambda s: "who" in s.servers[0]),
    Rule("agent:server.network", "1..1", lambda s: "network" in s.servers[0], NETWORK),
    Rule("agent:server.media", "0..0", lambda s: "media" not in s.servers[0]),
    Rule("agent:user", "0..1", lambda s: len(s.users) == 1),
    Rule("agent:user.who", "1..1", lambda s: "identifier" in s.users[0]["who"]),
    Rule("agent:user.requestor", "= true", lambda s: s.users[0]["requestor"] is True),
    Rule("agent:user.role", "must support", lambda s: "role" in s.users[0]),
    Rule("agent:user.name", "must support", lambda s: "name" in s.users[0]),
    Rule("agent:user.purposeOfUse", "must support", lambda s: "purposeOfUse" in s.users[0]),
    Rule("agent:user", "media, network 0..0", lambda s: not {"media", "network"} & s.users[0].keys()),
    Rule("agent:user.policy", "0..0", lambda s: "policy" not in s.users[0], POLICY, DELETE),
    Rule("entity:transaction", "0..1", lambda s: len(s.requests) == 1),
    Rule(
        "entity:transaction.what.identifier.value",
        "1..1",
        lambda s: bool(s.requests[0]["what"]["identifier"]["value"]),
    ),
    Rule("entity:patient", "1..1, role 1", lambda s: [one["role"]["code"] for one in s.patients] == ["1"]),
    Rule(
        "entity:patient.what",
        "1..1, Reference(Patient)",
        lambda s: s.patients[0]["what"]["reference"].startswith("Patient/"),
    ),
    Rule("entity:data", "1..1", lambda s: len(s.data) == 1, only=READ),
    Rule(
        "entity:data.role",
        "4, 3 or 20",
        lambda s: s.data[0]["role"] == {"system": ROLE, "code": "4"},
        only=READ,
    ),
    Rule("entity:data.what", "1..1", lambda s: "what" in s.data[0], only=READ),
    Rule(
        "entity:query",
        "1..1, role 24, query 1..1",
        lambda s: any("query" in one for one in s.data),
        QUERY,
        SEARCH,
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.path} {rule.says}")
def test_an_event_keeps_the_rule_or_says_why_not(rule: Rule) -> None:
    assert rule.verified
    for word in sorted(rule.only):
        assert rule.test(Seen(word)) is (not rule.why), word


def test_no_event_claims_a_profile_of_which_a_rule_is_not_kept() -> None:
    for word in PATTERNS:
        assert any(rule.why for rule in RULES if word in rule.only)
        assert "profile" not in event(word)["meta"]


def test_the_page_says_each_reason() -> None:
    page = " ".join((ROOT / "docs" / "reference" / "fhir.md").read_text(encoding="utf-8").split())
    for why in sorted({rule.why for rule in RULES} - {""}):
        assert why in page, why


@pytest.mark.parametrize(
    "word", [*PATTERNS, "history", "list", "import", "birth", "consent", "export", "emergency"]
)
@pytest.mark.parametrize(
    "more", [{}, {"denied": True, "ground": ""}, {"named": False}, {"name": "", "actor": ""}]
)
def test_every_event_is_valid_r4(word: str, more: Json) -> None:
    raw = audit_event(replace(TOLD, interaction=word, **more))
    assert validate.issues(document.read(raw)) == []
