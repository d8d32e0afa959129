"""The nouns that every room shares. No logic lives here.

Order: names, words of the decision, people, what is stored, what a decision and a trace give back.
Nothing here reads a clock, opens a file or chooses anything.

`Permit` is built in `access/decide.py` only and `Receipt` in `ledger/` only: the function that
turns sealed bytes into plaintext asks for both, so that "no trace, no data" is a type error
(HOUSE promise 1). A test on the syntax tree holds the call sites.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

PatientId = NewType("PatientId", str)
"""Logical id of the FHIR Patient that names a record (server-made, never an INS)."""

RecordToken = NewType("RecordToken", bytes)
"""Sixteen random bytes that name a record at rest; the only name of a record in clear."""

ActorId = NewType("ActorId", str)
"""Stable name of a person who acts: `rpps:<11 digits>`, `staff:<id>`, `patient:<id>`, `service:<name>`."""

Instant = NewType("Instant", int)
"""Milliseconds since 1970-01-01T00:00:00Z. Time is a fact that is passed in."""

RequestId = NewType("RequestId", str)
"""Number of one act: ties every ledger entry, permit and receipt of one request together."""


class Regime(StrEnum):
    """Which law rules the record (HOUSE section 2)."""

    OWN = "own"
    SHARED = "shared"


class Act(StrEnum):
    """What is asked of a class of items. `print` opens a body only into the print exit."""

    LIST = "list"
    READ = "read"
    WRITE = "write"
    FILE = "file"
    PRINT = "print"


class Category(StrEnum):
    """The 11 DMP classes (JDV_J57) and Serment's own categories (HOUSE section 5)."""

    REPORT = "10"
    SUMMARY = "11"
    DMP_IMAGING = "31"
    PRESCRIPTION = "42"
    DISPENSATION = "43"
    CARE_PLAN = "44"
    ADMINISTERED = "45"
    CERTIFICATE = "52"
    REIMBURSEMENT = "60"
    PATIENT_DOCUMENT = "90"
    MANAGEMENT = "95"
    IDENTITY = "identity"
    CONTACT = "contact"
    ALLERGIES = "allergies"
    PROBLEMS = "problems"
    TREATMENTS = "treatments"
    VACCINATIONS = "vaccinations"
    VITALS = "vitals"
    LABS = "labs"
    IMAGING = "imaging"
    NOTES = "notes"
    ADMINISTRATIVE = "administrative"
    CHOICES = "choices"
    DIRECTORY = "directory"
    UNMAPPED = "unmapped"


class Label(StrEnum):
    """Security labels that the decision reads. Codes: v3-Confidentiality, TRE_A07, v3-ActCode, ours."""

    NORMAL = "N"
    RESTRICTED = "R"
    VERY_RESTRICTED = "V"
    INVISIBLE_PATIENT = "INVISIBLE_PATIENT"
    MINOR_SECRET = "INVISIBLE_REPRESENTANTS_LEGAUX"
    MASKED = "MASQUE_PS"
    THIRD_PARTY = "SERMENT_TIERS"
    GENETIC = "GDIS"
    PSYCHIATRY = "PSY"
    HIV = "HIV"
    SEXUALITY = "SEX"
    SUBSTANCE_ABUSE = "ETH"
    VIOLENCE = "SDV"


class ActorKind(StrEnum):
    """What somebody is towards the record, before any relation is looked up."""

    PROFESSIONAL = "professional"
    STAFF = "staff"
    PATIENT = "patient"
    PROXY = "proxy"
    OFFICER = "officer"
    OPERATOR = "operator"
    RESEARCHER = "researcher"
    THIRD_PARTY = "third-party"
    SERVICE = "service"


class Function(StrEnum):
    """Function inside the structure: the rows of the `own` grid."""

    TREATING_DOCTOR = "treating-doctor"
    ASSOCIATE = "associate"
    LOCUM = "locum"
    TRAINEE = "trainee"
    HOSPITAL_DOCTOR = "hospital-doctor"
    EMERGENCY_DOCTOR = "emergency-doctor"
    REGULATING_DOCTOR = "regulating-doctor"
    NURSE = "nurse"
    MIDWIFE = "midwife"
    PHARMACIST = "pharmacist"
    DENTIST = "dentist"
    PHYSIOTHERAPIST = "physiotherapist"
    PSYCHOLOGIST = "psychologist"
    BIOLOGIST = "biologist"
    SOCIAL_WORKER = "social-worker"
    OCCUPATIONAL_PHYSICIAN = "occupational-physician"
    SECRETARY = "secretary"
    SECURITY_OFFICER = "security-officer"
    DPO = "dpo"
    OPERATOR = "operator"
    RESEARCHER = "researcher"
    AUDITOR = "auditor"
    INSURER = "insurer"
    LENDER = "lender"
    EMPLOYER = "employer"
    NONE = "none"


class Purpose(StrEnum):
    """Why somebody asks: HL7 v3 PurposeOfUse codes that Serment knows; any other is refused."""

    TREAT = "TREAT"
    COORDINATION = "COC"
    EMERGENCY = "ETREAT"
    BREAK_GLASS = "BTG"
    EMERGENCY_ROOM = "ERTREAT"
    PATIENT_REQUEST = "PATRQT"
    FAMILY_REQUEST = "FAMRQT"
    POWER_OF_ATTORNEY = "PWATRNY"
    PATIENT_ADMINISTRATION = "PATADMIN"
    RECORD_MANAGEMENT = "RECORDMGT"
    SYSTEM_ADMINISTRATION = "HSYSADMIN"
    COMPLIANCE = "HCOMPL"
    LEGAL = "HLEGAL"
    RESEARCH = "HRESCH"
    PUBLIC_HEALTH = "PUBHLTH"
    PAYMENT = "HPAYMT"
    COVERAGE = "COVERAGE"
    COVERAGE_AUTHORISATION = "COVAUTH"
    ELIGIBILITY = "ELIGVER"
    ENROLMENT = "ENROLLM"
    MARKETING = "HMARKT"
    INSURANCE = "SERMENT_INSURANCE"
    LENDING = "SERMENT_LENDING"
    EMPLOYMENT = "SERMENT_EMPLOYMENT"


class EmergencyReason(StrEnum):
    """Coded reasons that open an emergency door; free text never does (CSP L1111-17 I, R1111-48)."""

    UNCONSCIOUS = "unable-to-consent"
    LIFE_THREAT = "immediate-risk"
    REGULATION = "regulation-call"
    ON_CALL = "unplanned-care"


class HeirGround(StrEnum):
    """What an heir or a partner asks for, the three of CSP L1110-4 V; one is named in each request."""

    CAUSES = "causes-of-death"
    MEMORY = "defend-memory"
    RIGHTS = "assert-rights"


Reason = EmergencyReason | HeirGround
"""A coded reason that a request may name."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody signed in, in the one role that rules the session.

    `id`, `name` and `patient` identify a person: they are left out of `repr`, so that no log or
    traceback shows them. `profession` is a code of `professions.csv`; `structure` the id of the
    structure in which the person acts; `supervisor` is set for a trainee only, `replaces` for a locum:
    the professional whose patients they see meanwhile, under their own name.
    """

    id: ActorId = field(repr=False)
    kind: ActorKind
    name: str = field(default="", repr=False)
    profession: str = ""
    function: Function = Function.NONE
    structure: str = ""
    patient: PatientId | None = field(default=None, repr=False)
    regulation: bool = False
    supervisor: ActorId | None = field(default=None, repr=False)
    replaces: ActorId | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ItemClass:
    """What is stored about an item for the decision: the *class* of HOUSE section 5.

    `document_type` is a JDV_J07 code, or the FHIR resource type for a plain resource. `author` is
    the authenticated first depositor ("" for imported items: an import makes no author).
    `timer_end` is the instant at which an announcement timer ends (CSP R1111-53), or None.
    """

    category: Category
    document_type: str
    labels: tuple[str, ...] = ()
    author: ActorId = field(default=ActorId(""), repr=False)
    masked: bool = False
    timer_end: Instant | None = None


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to do one act on one class of one record during one request. Made by `decide` only."""

    rule: str
    act: Act
    record: RecordToken = field(repr=False)
    unit: ItemClass = field(repr=False)
    request: RequestId
    until: Instant


@dataclass(frozen=True, slots=True)
class Denial:
    """A refusal. `rule` and `missing` go to the ledger and to whoever may read the true reason."""

    rule: str
    missing: str
    lifted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the trace of one act on one record is durable. Made by `ledger` only.

    `sequence` is the entry's place in the tree, or None while the entry is owed (HOUSE promise 3).
    """

    request: RequestId
    record: RecordToken = field(repr=False)
    sequence: int | None
    commitment: bytes = field(repr=False)
