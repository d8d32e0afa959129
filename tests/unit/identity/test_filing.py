import pytest

from serment.identity import evidence, ins
from serment.identity.evidence import NONE, Evidence, Proof, Retrieval
from serment.identity.filing import Named, Reason, verdict
from serment.identity.traits import Traits
from serment.words import Language, say

NUMBER, PAST = (ins.NIR, "109076322083489"), (ins.NIR, "209076322083439")
PERSON = Traits("ECETINSI", "PIERRE-ALAIN MURIEL FLORIANT", "2009-07-14", "M", "63220")
RECUP = evidence.retrieved(NONE, Retrieval(NUMBER, (PAST,), "INSI", 1, "staff:1"), PERSON)
QUAL = evidence.proved(RECUP, Proof("CN", "", True, 2, "staff:1"), PERSON)


@pytest.mark.parametrize("number", [NUMBER, PAST])
def test_a_document_of_a_qualified_and_equal_identity_files_itself(number: tuple[str, str]) -> None:
    assert verdict(Named((number,), PERSON), QUAL) is None


@pytest.mark.parametrize(
    ("named", "local", "reason"),
    [
        (Named((NUMBER,), PERSON), None, Reason.UNKNOWN_PATIENT),
        (Named((), PERSON), QUAL, Reason.NO_INS),
        (Named((NUMBER,), PERSON), NONE, Reason.OTHER),
        (Named((NUMBER,), PERSON), RECUP, Reason.OTHER),
        (Named(((ins.NIR, "236066322083656"),), PERSON), QUAL, Reason.OTHER_INS),
        (Named(((ins.NIR_TEST, NUMBER[1]),), PERSON), QUAL, Reason.OTHER_INS),
        (Named((NUMBER, (ins.NIR, "236066322083656")), PERSON), QUAL, Reason.OTHER_INS),
        (Named((NUMBER,)), QUAL, Reason.INCOMPLETE),
        (Named((NUMBER,), Traits("ECETINSI", "", "2009-07-14", "M", "63220")), QUAL, Reason.INCOMPLETE),
        (Named((NUMBER,), Traits("ECETINSI", "PIERRE", "2009-07-14", "M", "63220")), QUAL, Reason.OTHER_INS),
    ],
)
def test_anything_else_waits_for_a_person(named: Named, local: Evidence | None, reason: Reason) -> None:
    assert verdict(named, local) is reason


@pytest.mark.parametrize("reason", Reason)
def test_every_code_has_its_sentence(reason: Reason) -> None:
    assert reason.value in say(reason.sentence, Language.FR)
