"""What a scope says, what it leaves out, and that two of them give what both say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from serment.access.scopes import Scope, narrowed, needed, parse
from serment.errors import MalformedError
from serment.model import Act, Category, ItemClass, RecordToken
from tests.rules.cast import scoped

HERE, THERE = RecordToken(b"h" * 16), RecordToken(b"t" * 16)
LABS = ItemClass(Category.LABS, "Observation", ("N",))
VITALS = replace(LABS, category=Category.VITALS)
LETTER = ItemClass(Category.REPORT, "11490-0", ("N",))
DOCTOR = ItemClass(Category.DIRECTORY, "Practitioner", ("N",))
BY_CATEGORY = "?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
NORMAL = "?_security=http://terminology.hl7.org/CodeSystem/v3-Confidentiality|N"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("patient/Observation.rs", "patient/Observation.rs"),
        ("patient/*.read", "patient/*.rs"),
        ("user/Observation.write", "user/Observation.cud"),
        ("system/*.*", "system/*.cruds"),
        (f"patient/Observation.rs{BY_CATEGORY}", f"patient/Observation.rs{BY_CATEGORY}"),
        (f"user/Condition.r{NORMAL}", f"user/Condition.r{NORMAL}"),
        ("user/*.s?category=urn:serment:category|labs", "user/*.s?category=urn:serment:category|labs"),
    ],
)
def test_a_scope_is_read_and_written_in_one_way(text: str, meant: str) -> None:
    assert str(parse(text)) == meant
    assert parse(meant) == parse(text)


@pytest.mark.parametrize("text", ["openid", "fhirUser", "launch/patient", "offline_access", "profile", ""])
def test_what_is_no_scope_of_resources_is_left_to_others(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "patient/Observation.sr",
        "patient/Observation.rr",
        "patient/Observation.",
        "patient/Observation",
        "patient/observation.r",
        "patient/Unheard.r",
        "patient/Observation.rx",
        "patient/Observation.rs?code=http://loinc.org|2345-7",
        "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey",
        "patient/Observation.rs?category=urn:serment:category|everything",
        "patient/Observation.rs?_security=N",
        "patient/Observation.rs?category",
        f"patient/Observation.crs{BY_CATEGORY}",
        f"patient/Observation.rs{BY_CATEGORY}&category=urn:serment:category|vitals",
        f"patient/Condition.rs{BY_CATEGORY}",
    ],
)
def test_a_scope_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        parse(text)


@pytest.mark.parametrize(
    ("asked", "registered", "both"),
    [
        ("patient/*.cruds", "patient/Observation.rs", ["patient/Observation.rs"]),
        ("patient/Observation.rs", "patient/*.s", ["patient/Observation.s"]),
        ("patient/Observation.rs", "user/Observation.rs", []),
        ("patient/Observation.rs", "patient/Condition.rs", []),
        ("patient/Observation.c", "patient/Observation.rs", []),
        ("patient/*.cruds", f"patient/Observation.rs{BY_CATEGORY}", [f"patient/Observation.rs{BY_CATEGORY}"]),
        (f"patient/*.rs{NORMAL}", "patient/Condition.cruds", [f"patient/Condition.rs{NORMAL}"]),
        (
            "user/*.r?category=urn:serment:category|labs",
            "user/*.r?category=urn:serment:category|vitals",
            [],
        ),
    ],
)
def test_what_is_granted_is_what_both_say(asked: str, registered: str, both: list[str]) -> None:
    one, limit = parse(asked), parse(registered)
    assert one is not None
    assert limit is not None
    assert [str(found) for found in narrowed([one], [limit])] == both


def test_a_scope_of_a_patient_counts_in_that_patients_record_and_in_the_directory() -> None:
    scope = scoped("patient/*.rs", record=HERE)
    assert scope.covers(LABS, Act.READ, HERE)
    assert not scope.covers(LABS, Act.READ, THERE)
    assert scope.covers(DOCTOR, Act.READ, THERE)
    assert not scoped("patient/*.rs").covers(LABS, Act.READ, HERE)
    assert scoped("user/*.rs").covers(LABS, Act.READ, THERE)


def test_a_scope_covers_the_classes_of_its_type_category_and_label() -> None:
    assert scoped("user/Observation.rs").covers(VITALS, Act.LIST, HERE)
    assert not scoped("user/Observation.rs").covers(VITALS, Act.WRITE, HERE)
    assert not scoped("user/Condition.rs").covers(LABS, Act.READ, HERE)
    by_category = scoped(f"user/Observation.rs{BY_CATEGORY}")
    assert by_category.covers(LABS, Act.READ, HERE)
    assert not by_category.covers(VITALS, Act.READ, HERE)
    assert not scoped(f"user/*.rs{NORMAL}").covers(replace(LABS, labels=("V",)), Act.READ, HERE)


def test_of_a_class_that_holds_several_types_only_those_named_are_shown() -> None:
    scope = scoped("user/Binary.r")
    assert scope.covers(LETTER, Act.READ, HERE)
    assert scope.shows("Binary", LETTER, HERE)
    assert not scope.shows("DocumentReference", LETTER, HERE)
    assert not scope.covers(ItemClass(Category.CHOICES, "trace"), Act.READ, HERE)
    assert scoped("user/AuditEvent.rs").covers(ItemClass(Category.CHOICES, "trace"), Act.READ, HERE)


@pytest.mark.parametrize(
    ("method", "path", "conditional", "needs"),
    [
        ("GET", "Observation/1", False, ("Observation.r",)),
        ("HEAD", "Observation/1", False, ("Observation.r",)),
        ("GET", "Observation/1/_history", False, ("Observation.r",)),
        ("GET", "Observation/1/_history/2", False, ("Observation.r",)),
        ("GET", "Observation/_history", False, ("Observation.s",)),
        ("GET", "Observation", False, ("Observation.s",)),
        ("POST", "Observation/_search", False, ("Observation.s",)),
        ("POST", "Observation", False, ("Observation.c",)),
        ("POST", "Observation", True, ("Observation.c", "Observation.s")),
        ("PUT", "Observation/1", False, ("Observation.u",)),
        ("PATCH", "Observation/1", False, ("Observation.u",)),
        ("DELETE", "Observation/1", False, ("Observation.d",)),
        ("PUT", "Observation", True, ("Observation.c", "Observation.s", "Observation.u")),
        ("DELETE", "Observation", True, ("Observation.s", "Observation.d")),
        ("POST", "", False, ()),
        ("POST", "Observation/$validate", False, ()),
        ("GET", "ValueSet/$expand", False, ()),
        ("GET", "Patient/1/$everything", False, ("Patient.r",)),
        ("GET", "Patient/1/$export/file", False, ("urn:serment:operation:export",)),
        ("POST", "Patient/1/$emergency-access", False, ("urn:serment:operation:emergency-access",)),
        ("POST", "Patient/$something-new", False, ("urn:serment:operation:something-new",)),
        ("POST", "Subscription", False, None),
        ("BREW", "Observation/1", False, None),
        ("BREW", "Observation", False, ("Observation.x",)),
    ],
)
def test_what_a_request_needs(
    method: str, path: str, conditional: bool, needs: tuple[str, ...] | None
) -> None:
    assert needed(method, path, conditional=conditional) == needs


def test_an_operation_is_let_by_its_own_name_only() -> None:
    scope = Scope(scoped("user/*.cruds").resources, frozenset({"urn:serment:operation:export"}))
    assert scope.lets("urn:serment:operation:export")
    assert not scope.lets("urn:serment:operation:emergency-access")
    assert scope.lets("Observation.s")
    assert not scope.lets("Observation.x")
