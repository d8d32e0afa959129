"""A patient reads who did what to their record, and why, in their own words."""

import pytest
from msgspec.structs import replace

from serment.ledger.append import Pending
from serment.ledger.chains import Chain
from serment.ledger.entry import Decision, Event, Interaction
from serment.ledger.follow import follow
from serment.ledger.sentences import line, lines
from serment.model import ActorId, EmergencyReason, Function, Purpose
from serment.words import Language
from tests.unit.ledger.memory import NOON, MemoryRows, birth_event, ledger, new_trail, read_event

DOCTOR = ActorId("rpps:10001234567")


def three_documents(**change: object) -> Event:
    event = replace(
        read_event(),
        resources=tuple(f"DocumentReference/{n}/_history/1" for n in range(3)),
        count=3,
        rule="G6.team",
    )
    return replace(event, **change)


@pytest.mark.capability("0-13", "lets")
@pytest.mark.parametrize(
    ("change", "french", "english"),
    [
        (
            {},
            "Dr Martin a lu 3 documents de votre dossier, pour vos soins (équipe de soins)",
            "Dr Martin has read 3 documents of your record, for your care (care team)",
        ),
        (
            {"interaction": Interaction.PRINT, "resources": ("Observation/1/_history/1",), "count": 1},
            "Dr Martin a imprimé 1 résultat ou mesure de votre dossier, pour vos soins (équipe de soins)",
            "Dr Martin has printed 1 result or measurement of your record, for your care (care team)",
        ),
        (
            {"resources": ("Observation/1/_history/1", "Condition/2/_history/1"), "count": 40},
            "Dr Martin a lu 40 éléments de votre dossier, pour vos soins (équipe de soins)",
            "Dr Martin has read 40 items of your record, for your care (care team)",
        ),
        (
            {"resources": (), "count": 0, "interaction": Interaction.SEARCH, "rule": ""},
            "Dr Martin a ouvert votre dossier sans rien y lire, pour vos soins",
            "Dr Martin has opened your record and read nothing in it, for your care",
        ),
        (
            {"decision": Decision.DENIAL, "rule": "V8.masked"},
            "Dr Martin a demandé à lire votre dossier\u00a0: accès refusé, pour vos soins",
            "Dr Martin has asked to read your record: refused, for your care",
        ),
        (
            {"decision": Decision.DENIAL, "interaction": Interaction.UPDATE},
            "Dr Martin a demandé à écrire dans votre dossier\u00a0: refusé, pour vos soins",
            "Dr Martin has asked to write in your record: refused, for your care",
        ),
        (
            {
                "interaction": Interaction.EMERGENCY,
                "purpose": "ETREAT",
                "reason": "immediate-risk",
                "rule": "G5.emergency",
            },
            "Dr Martin a ouvert votre dossier en accès en urgence, "
            "pour une urgence (risque immédiat pour la santé, accès en urgence)",
            "Dr Martin has opened your record by emergency access, "
            "for an emergency (immediate risk to health, emergency access)",
        ),
        (
            {"interaction": Interaction.STRANGERS, "count": 4, "purpose": "", "rule": ""},
            "4 demande(s) de personnes sans lien avec vous ont été refusées",
            "4 request(s) by people unrelated to you were refused",
        ),
    ],
)
def test_an_event_reads_as_a_sentence(change: dict[str, object], french: str, english: str) -> None:
    event = three_documents(**change)
    assert line(event, Language.FR).said == french
    assert line(event, Language.EN).said == english


def test_the_holder_reads_you_for_their_own_acts() -> None:
    own = three_documents(actor="patient:7", purpose="PATRQT", rule="G1.holder")
    said = line(own, Language.FR, reader=ActorId("patient:7")).said
    assert said == "Vous avez lu 3 documents de votre dossier, à votre demande (c'est votre dossier)"


def test_a_person_without_a_name_is_told_by_function() -> None:
    nameless = three_documents(actor_name="", function="nurse")
    assert line(nameless, Language.FR).who == "infirmier ou infirmière"
    assert line(three_documents(actor_name="", function=""), Language.FR).who == "Une personne du service"


def test_a_line_says_when_in_which_role_and_whether_it_was_an_emergency() -> None:
    calm = line(three_documents(), Language.FR)
    assert (calm.when_ms, calm.role, calm.emergency, calm.denied) == (NOON, "médecin associé", False, False)
    assert line(three_documents(purpose="BTG"), Language.FR, late=True).emergency
    assert line(three_documents(), Language.FR, late=True).late


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("interaction", list(Interaction))
def test_every_interaction_has_its_sentence(interaction: Interaction, language: Language) -> None:
    for resources in ((), ("Patient/1/_history/1",)):
        event = Event(t=NOON, request="r", interaction=interaction, resources=resources)
        assert line(event, language).what
        assert line(replace(event, decision=Decision.DENIAL), language).what


@pytest.mark.parametrize("language", list(Language))
def test_every_purpose_reason_and_function_has_its_words(language: Language) -> None:
    for purpose in Purpose:
        assert line(three_documents(purpose=purpose.value, rule=""), language).why
    for reason in EmergencyReason:
        assert line(three_documents(purpose="", rule="", reason=reason.value), language).why
    for function in set(Function) - {Function.NONE}:
        assert line(three_documents(function=function.value), language).role


def test_a_patient_reads_no_word_of_the_trade() -> None:
    for interaction in Interaction:
        said = line(three_documents(interaction=interaction), Language.FR).said.lower()
        assert not {"hash", "token", "merkle", "fhir", "bris de glace"} & set(said.split())


def test_an_unknown_code_is_left_out() -> None:
    event = three_documents(purpose="ELSEWHERE", rule="G99.other", reason="other", function="other")
    assert line(event, Language.FR).said == "Dr Martin a lu 3 documents de votre dossier"


def test_a_line_shows_nobody_in_a_log() -> None:
    assert "Martin" not in repr(line(three_documents(), Language.FR, reader=DOCTOR))


def test_a_trace_is_told_newest_first_and_its_birth_once() -> None:
    rows, trail = MemoryRows(), new_trail()
    ledger().birth(rows, trail, birth_event())
    ledger().append(rows, [Pending(trail, Chain.PROTECTED, three_documents())])
    found = follow(rows, trail.record, trail.key, [trail.year], list(Chain))
    told = lines([entry.body for entry in found], Language.FR)
    assert [one.what for one in told] == ["a lu 3 documents de votre dossier", "a créé votre dossier"]
