"""The professionals of the demonstration: a practice, a hospital unit, and a few people beside.

Everybody is invented. RPPS numbers are in a range that no register gives out (999…), with a true
check digit. Order: nouns, the structures, the staff, the directory bundle (Organization,
Practitioner, PractitionerRole) in the shape of FR Core, the reference by which a record names them.

Directory resources keep their own id: a record names them as `Practitioner/<id>` *and* by RPPS, so
that an importing structure recognises its own people without having read the directory.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from serment.identity import luhn, rpps
from serment.model import Actor, ActorId, ActorKind, Function

Json = dict[str, Any]

_NAMESPACE = uuid.UUID("5e12e7a0-0000-4000-8000-00000000de30")
_IDENTIFIER_TYPES = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
_PROFESSIONS = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
_TOWN = {"use": "work", "city": "Bourg-Tilleul", "postalCode": "99120", "country": "FR"}

DOCTOR = "10"
PHARMACIST = "21"
NURSE = "60"
SECRETARY = "SECRETARIAT_MEDICAL"


@dataclass(frozen=True, slots=True)
class Structure:
    """A place where people work. `id` is what `Actor.structure` holds; FINESS with its Luhn digit."""

    id: str
    name: str
    finess: str
    kind: str
    line: str
    phone: str

    @property
    def resource(self) -> str:
        """Give the logical id of the Organization."""
        return _stable(f"Organization/{self.id}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in. `rpps` is "" for people outside the health professions."""

    id: ActorId
    name: str
    family: str
    given: str
    title: str
    kind: ActorKind
    function: Function
    profession: str
    structure: str
    rpps: str = ""
    speciality: str = ""
    supervisor: ActorId | None = None

    @property
    def resource(self) -> str:
        """Give the logical id of the Practitioner."""
        return _stable(f"Practitioner/{self.id}")

    def actor(self) -> Actor:
        """Give this person as the decision sees them."""
        return Actor(
            id=self.id,
            kind=self.kind,
            name=self.name,
            profession=self.profession,
            function=self.function,
            structure=self.structure,
            supervisor=self.supervisor,
        )


def _stable(name: str) -> str:
    """Name a directory resource for ever: the same person has the same id in every population."""
    return str(uuid.uuid5(_NAMESPACE, name))


def _finess(stem: str) -> str:
    return stem + luhn.digit(stem)


PRACTICE = Structure(
    "cabinet-des-tilleuls",
    "Cabinet des Tilleuls",
    _finess("99000001"),
    "prov",
    "4 place des Tilleuls",
    "01 99 00 12 10",
)
HOSPITAL = Structure(
    "hopital-bourg-tilleul-medecine",
    "Centre hospitalier de Bourg-Tilleul",
    _finess("99000002"),
    "dept",
    "1 avenue de l'Hôpital",
    "01 99 00 34 00",
)
MARKET = Structure(
    "cabinet-du-marche",
    "Cabinet du Marché",
    _finess("99000003"),
    "prov",
    "17 rue du Marché",
    "01 99 00 56 20",
)
PHARMACY = Structure(
    "pharmacie-des-halles",
    "Pharmacie des Halles",
    _finess("99000004"),
    "prov",
    "2 rue des Halles",
    "01 99 00 56 30",
)
LABORATORY = Structure(
    "laboratoire-du-val",
    "Laboratoire de biologie et de pathologie du Val",
    _finess("99000005"),
    "prov",
    "8 rue du Moulin",
    "01 99 00 56 40",
)
CARE_HOME = Structure(
    "residence-du-val-fleuri",
    "EHPAD Résidence du Val Fleuri",
    _finess("99000006"),
    "prov",
    "3 chemin du Val",
    "01 99 00 56 50",
)
EMERGENCIES = Structure(
    "urgences-bourg-tilleul",
    "Service des urgences de Bourg-Tilleul",
    _finess("99000007"),
    "dept",
    "1 avenue de l'Hôpital",
    "01 99 00 34 15",
)
STRUCTURES = (PRACTICE, HOSPITAL, MARKET, PHARMACY, LABORATORY, CARE_HOME, EMERGENCIES)


def _professional(
    order: int,
    given: str,
    family: str,
    function: Function,
    structure: Structure,
    *,
    profession: str = DOCTOR,
    title: str = "Dr",
    speciality: str = "Médecine générale",
    supervisor: ActorId | None = None,
) -> Person:
    stem = f"99900001{order:02d}"
    number = stem + luhn.digit(stem)
    return Person(
        id=ActorId(f"rpps:{number}"),
        name=f"{title} {given} {family}".strip(),
        family=family,
        given=given,
        title=title,
        kind=ActorKind.PROFESSIONAL,
        function=function,
        profession=profession,
        structure=structure.id,
        rpps=number,
        speciality=speciality,
        supervisor=supervisor,
    )


def _staff(
    key: str,
    given: str,
    family: str,
    kind: ActorKind,
    function: Function,
    profession: str = "",
    structure: Structure = PRACTICE,
) -> Person:
    return Person(
        id=ActorId(f"staff:{key}"),
        name=f"{given} {family}",
        family=family,
        given=given,
        title="",
        kind=kind,
        function=function,
        profession=profession,
        structure=structure.id,
    )


ATTENDING = _professional(1, "Hélène", "Vasselin", Function.TREATING_DOCTOR, PRACTICE)
ASSOCIATE = _professional(2, "Mathieu", "Corbrand", Function.ASSOCIATE, PRACTICE)
SECOND_ASSOCIATE = _professional(3, "Inès", "Taravel", Function.ASSOCIATE, PRACTICE)
LOCUM = _professional(4, "Bastien", "Loriquet", Function.LOCUM, PRACTICE)
PRACTICE_NURSE = _professional(
    5, "Salomé", "Quervain", Function.NURSE, PRACTICE, profession=NURSE, title="", speciality="Infirmière"
)
HOSPITAL_DOCTOR = _professional(
    11, "Karim", "Benzélir", Function.HOSPITAL_DOCTOR, HOSPITAL, speciality="Médecine polyvalente"
)
SECOND_HOSPITAL_DOCTOR = _professional(
    12, "Claire", "Montsorel", Function.HOSPITAL_DOCTOR, HOSPITAL, speciality="Radiologie"
)
EMERGENCY_DOCTOR = _professional(
    13, "Yann", "Kerlavos", Function.EMERGENCY_DOCTOR, HOSPITAL, speciality="Médecine d'urgence"
)
HOSPITAL_NURSE = _professional(
    14, "Thierry", "Aubrespin", Function.NURSE, HOSPITAL, profession=NURSE, title="", speciality="Infirmier"
)
INTERN = _professional(
    15,
    "Léa",
    "Vauquelot",
    Function.TRAINEE,
    HOSPITAL,
    title="",
    speciality="Interne",
    supervisor=HOSPITAL_DOCTOR.id,
)
UNRELATED_DOCTOR = _professional(21, "Gérald", "Pontavice", Function.TREATING_DOCTOR, MARKET)
PHARMACIST_OF_TOWN = _professional(
    31,
    "Nadège",
    "Florimont",
    Function.PHARMACIST,
    PHARMACY,
    profession=PHARMACIST,
    title="",
    speciality="Pharmacienne",
)
BIOLOGIST = _professional(
    32, "Étienne", "Rouvralet", Function.BIOLOGIST, LABORATORY, speciality="Biologie médicale"
)
COORDINATOR = _professional(
    41, "Solène", "Aubertin", Function.TREATING_DOCTOR, CARE_HOME, speciality="Médecin coordonnateur"
)
CARE_HOME_NURSE = _professional(
    42, "Fanny", "Delorgeval", Function.NURSE, CARE_HOME, profession=NURSE, title="", speciality="Infirmière"
)
EMERGENCY_NURSE = _professional(
    43, "Hugo", "Marsannay", Function.NURSE, EMERGENCIES, profession=NURSE, title="", speciality="Infirmier"
)
SECRETARY_OF_PRACTICE = _staff(
    "secretaire", "Mireille", "Plantevin", ActorKind.STAFF, Function.SECRETARY, SECRETARY
)
OFFICER = _staff("securite", "Odile", "Marchenoir", ActorKind.OFFICER, Function.SECURITY_OFFICER)
DATA_PROTECTION = _staff("dpo", "Ariane", "Lestrange", ActorKind.OFFICER, Function.DPO, structure=HOSPITAL)
RESEARCHER = _staff(
    "recherche", "Lucien", "Abravel", ActorKind.RESEARCHER, Function.RESEARCHER, structure=HOSPITAL
)

STAFF: tuple[Person, ...] = (
    ATTENDING,
    ASSOCIATE,
    SECOND_ASSOCIATE,
    LOCUM,
    PRACTICE_NURSE,
    HOSPITAL_DOCTOR,
    SECOND_HOSPITAL_DOCTOR,
    EMERGENCY_DOCTOR,
    HOSPITAL_NURSE,
    INTERN,
    UNRELATED_DOCTOR,
    PHARMACIST_OF_TOWN,
    BIOLOGIST,
    COORDINATOR,
    CARE_HOME_NURSE,
    EMERGENCY_NURSE,
    SECRETARY_OF_PRACTICE,
    OFFICER,
    DATA_PROTECTION,
    RESEARCHER,
)
DOCTORS_OF_PRACTICE = (ATTENDING, ASSOCIATE, SECOND_ASSOCIATE)


@cache
def reference(person: Person) -> Json:
    """Name a professional from a record: id in the directory, RPPS and display."""
    return {
        "reference": f"Practitioner/{person.resource}",
        "identifier": {"system": rpps.SYSTEM, "value": person.rpps},
        "display": person.name,
    }


@cache
def place(structure: Structure) -> Json:
    """Name a structure from a record: id in the directory, national identifier and display."""
    return {
        "reference": f"Organization/{structure.resource}",
        "identifier": {"system": rpps.IDNST_SYSTEM, "value": "1" + structure.finess},
        "display": structure.name,
    }


def of(structure_id: str) -> Structure:
    """Find a structure by its id; `KeyError` on an unknown one."""
    return {structure.id: structure for structure in STRUCTURES}[structure_id]


def directory() -> Json:
    """Build the transaction that fills the directory: structures, people, what each does where."""
    entries = [_entry(_organization(structure)) for structure in STRUCTURES]
    for person in STAFF:
        if person.kind in {ActorKind.PROFESSIONAL, ActorKind.STAFF}:
            entries += [_entry(_practitioner(person)), _entry(_role(person))]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _entry(resource: Json) -> Json:
    return {
        "fullUrl": f"urn:uuid:{resource['id']}",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }


def _organization(structure: Structure) -> Json:
    return {
        "resourceType": "Organization",
        "id": structure.resource,
        "identifier": [
            {
                "use": "official",
                "type": {"coding": [{"system": _IDENTIFIER_TYPES, "code": "IDNST"}]},
                "system": rpps.IDNST_SYSTEM,
                "value": "1" + structure.finess,
            }
        ],
        "active": True,
        "type": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/organization-type",
                        "code": structure.kind,
                    }
                ]
            }
        ],
        "name": structure.name,
        "telecom": [{"system": "phone", "value": structure.phone, "use": "work"}],
        "address": [_TOWN | {"line": [structure.line]}],
    }


def _practitioner(person: Person) -> Json:
    name: Json = {"use": "official", "text": person.name, "family": person.family, "given": [person.given]}
    if person.title:
        name["suffix"] = [person.title.upper()]
    return {
        "resourceType": "Practitioner",
        "id": person.resource,
        "identifier": _numbers(person),
        "active": True,
        "name": [name],
    }


def _numbers(person: Person) -> list[Json]:
    """Give both national forms of an RPPS number, or the local one of somebody without."""
    if not person.rpps:
        return [{"use": "secondary", "system": "urn:serment:demo:staff", "value": person.id}]
    return [
        {
            "use": "official",
            "type": {"coding": [{"system": _IDENTIFIER_TYPES, "code": code}]},
            "system": system,
            "value": value,
        }
        for code, system, value in (
            ("RPPS", rpps.SYSTEM, person.rpps),
            ("IDNPS", rpps.IDNPS_SYSTEM, rpps.idnps(person.rpps)),
        )
    ]


def _role(person: Person) -> Json:
    code: Json = {"text": person.speciality or "Secrétariat médical"}
    if person.profession.isdigit():
        code["coding"] = [{"system": _PROFESSIONS, "code": person.profession}]
    return {
        "resourceType": "PractitionerRole",
        "id": _stable(f"PractitionerRole/{person.id}"),
        "active": True,
        "practitioner": {"reference": f"urn:uuid:{person.resource}", "display": person.name},
        "organization": {
            **place(of(person.structure)),
            "reference": f"urn:uuid:{of(person.structure).resource}",
        },
        "code": [code],
    }
