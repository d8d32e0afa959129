import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serment.errors import RequestError
from serment.identity import names
from tests.vectors import MISSING, REFERENCE

FILE = REFERENCE / "test_vectors_identity.json"
EMPTY: dict[str, list[dict[str, str]]] = {"cases": [], "must_reject": [], "first_given_name": []}
CASES = json.loads(FILE.read_text("utf-8"))["name_normalisation"] if FILE.exists() else EMPTY
needs_vectors = pytest.mark.skipif(not FILE.exists(), reason=MISSING)


@needs_vectors
@pytest.mark.parametrize("vector", CASES["cases"], ids=lambda v: v["out"])
def test_a_name_is_written_as_the_register_writes_it(vector: dict[str, str]) -> None:
    assert names.normalise(vector["in"]) == vector["out"]


@needs_vectors
@pytest.mark.parametrize("vector", CASES["must_reject"], ids=lambda v: v["why"])
def test_what_is_not_a_name_is_refused(vector: dict[str, str]) -> None:
    with pytest.raises(RequestError):
        names.normalise(vector["in"])


@needs_vectors
@pytest.mark.parametrize("vector", CASES["first_given_name"], ids=lambda v: v["first"])
def test_the_first_given_name_keeps_its_hyphen(vector: dict[str, str]) -> None:
    assert names.first_given_name(vector["list"]) == vector["first"]


def test_half_a_name_in_another_script_is_refused_rather_than_cut() -> None:
    with pytest.raises(RequestError) as raised:
        names.normalise("Jean 李")
    assert raised.value.sentence == "identity.name-script"


@given(st.text(max_size=30))
def test_a_normal_name_is_its_own_normal_form(name: str) -> None:
    try:
        once = names.normalise(name)
    except RequestError:
        return
    assert names.normalise(once) == once
    assert set(once) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ-' ")


def test_a_name_made_to_stall_the_search_is_heard_up_to_its_hundredth_letter() -> None:
    hostile = "DT" * 200_000 + "A"
    assert names.sound(hostile) == names.sound(hostile[:100])


VARIANTS = [
    "Dupont|Dupond|Dupon|DUPONT|Duponts",
    "Durand|Durant|Duran",
    "Lefèvre|Lefebvre|Lefevre|Lefaivre",
    "Gauthier|Gautier|Gotier|Gauthié",
    "Rousseau|Rousso|Roussot|Roussaud",
    "Thibault|Thibaud|Tibo|Thibaut|Thibaux",
    "Renault|Renaud|Reynaud|Raynaud|Reneau",
    "Philippe|Filipe|Philip|Philippes",
    "Schmitt|Schmidt|Schmit|Chmit",
    "Bernard|Bernar|Bernart|Bernhard",
    "Martin|Martain|Marttin",
    "Fournier|Fournié|Fourniez",
    "Boucher|Bouchet|Bouché",
    "Leclerc|Leclercq|Leclair|Leclère",
    "Dubois|Duboix|Duboi",
    "Picard|Piquard|Pickart",
    "Marchand|Marchant|Marchan",
    "Lemoine|Lemoyne|Lemoinne",
    "Benoît|Benoist|Benoit",
    "Mohammed|Mohamed",
    "Le Goff|Legoff|LE-GOFF|Legof",
    "N’Guyen|Nguyen|N'guyen",
    "d'Aboville|Daboville|D ABOVILLE",
    "Saint-Hilaire|St Hilaire|St-Hilère",
    "Zimmermann|Zimmerman|Zimerman",
    "Meyer|Meier|Mayer|Maier",
    "Lambert|Lembert",
    "Christophe|Kristof|Cristophe",
    "Leblanc|Leblan|Lebland",
    "Beauchamp|Beauchamps|Bochand",
    "Jacques|Jaques|Jacque",
    "Lévy|Levi|Levy",
]


@pytest.mark.parametrize("line", VARIANTS)
def test_usual_misspellings_sound_alike(line: str) -> None:
    spellings = line.split("|")
    assert {names.sound(spelling) for spelling in spellings} == {names.sound(spellings[0])}


FAMILIES = """
Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux
David Bertrand Morel Fournier Girard Gérard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Faure
Blanc Guérin Boyer Garnier Chevalier Gauthier Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu
Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun
"""


def test_different_families_stay_apart() -> None:
    families = FAMILIES.split()
    assert len({names.sound(family) for family in families}) == len(families)


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ -'", min_size=1, max_size=30))
def test_every_name_has_a_sound(name: str) -> None:
    if any(c.isalpha() for c in name):
        assert names.sound(name)
        assert names.sound(name) == names.sound(name.lower())
