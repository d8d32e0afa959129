"""Names: one spelling for the register, one sound for finding people.

`normalise` writes a name as strict traits are written (rules 6-10 of `rniv_name_rules.md`): capitals
A-Z, hyphen, apostrophe and space. `sound` is a small phonetic key of our own for French spellings,
a list of rewritings applied in order. It forgives how a name is spelt, not who bears it: alone it
would group namesakes, so it is used inside compound keys only (`serment.identity.keys`).
"""

from __future__ import annotations

import re
import unicodedata

from serment.errors import RequestError

_LETTERS = str.maketrans(
    {
        "Œ": "OE", "Æ": "AE", "ẞ": "SS", "Ł": "L", "Ø": "O", "Đ": "D", "Ð": "D", "Ħ": "H", "Ŧ": "T",
        "Þ": "TH", "Ŋ": "N", "Ə": "E", "Ɓ": "B", "Ɗ": "D", "Ƴ": "Y",
        "’": "'", "‘": "'", "ʼ": "'", "′": "'", "`": "'", "´": "'", "ʻ": "'",
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-",
    }
)  # fmt: skip

LONGEST = 100
"""Characters of a birth name or a list of given names, at most (Datamatrix INS 2.2 field sizes)."""

_NOT_NASAL = "(?![AEIOUYNM])"

# One sign is one sound: 1 "in", 2 "an", 3 "on", 4 "ou", 5 "ch", 6 "oi". The order is the rule: a long
# spelling comes before the short ones that it holds.
_REWRITINGS = tuple(
    (re.compile(spelling), heard)
    for spelling, heard in (
        # Endings that are read "é", and the German "-mann".
        (r"(?<=..)(?:ER|EZ|ET|EE)S?$", "E"),
        (r"(?<=M)ANN$", "2"),
        # Consonants.
        (r"PH", "F"),
        (r"CH(?=[RLNT])", "K"),
        (r"SCH|TCH|CH|SH", "5"),
        (r"H", ""),
        (r"CQU?|CK|QU?", "K"),
        (r"GN", "N"),
        (r"GU(?=[EIY])", "G"),
        (r"GE(?=[AOU])|G(?=[EIY])", "J"),
        (r"SC(?=[EIY])", "SS"),
        (r"C(?=[EIY])", "S"),
        (r"C", "K"),
        (r"BV|W", "V"),
        (r"(?<=[AEIOUY])S(?=[AEIOUY])", "Z"),
        # Vowels, then nasals.
        (r"AUL(?=[DTX])|EAU|AU", "O"),
        (r"OEU|EU", "E"),
        (r"OU", "4"),
        (r"O[IY]N" + _NOT_NASAL, "61"),
        (r"O[IY]", "6"),
        (r"[AE][IY][NM]" + _NOT_NASAL, "1"),
        (r"(?<=[IY])EN" + _NOT_NASAL, "1"),
        (r"A[IY]|E[IY]", "E"),
        (r"[IYU][NM]" + _NOT_NASAL, "1"),
        (r"[AE][NM]" + _NOT_NASAL, "2"),
        (r"O[NM]" + _NOT_NASAL, "3"),
        (r"Y", "I"),
        # Doubled letters, then what is written and not said at the end.
        (r"(.)\1+", r"\1"),
        (r"(?<=[123])[PB]?[DTSXZKG]*$", ""),
        (r"(?<=R)[KDTSXZ]+$", ""),
        (r"(?<=..)(?:ES?|[DTSXZ]+)$", ""),
    )
)


def normalise(name: str) -> str:
    """Write a name as a strict trait: capitals without accents, hyphens and apostrophes kept.

    Signs and digits become blanks, runs of blanks one. Raises `RequestError` when no letter is left,
    or when a letter of another script stands in the name: half a name is not a name.
    """
    capitals = name.upper().translate(_LETTERS)
    plain = [c for c in unicodedata.normalize("NFKD", capitals) if not unicodedata.combining(c)]
    if any(c.isalpha() and not ("A" <= c <= "Z") for c in plain):
        raise RequestError("identity.name-script")
    kept = "".join(c if "A" <= c <= "Z" or c in "-'" else " " for c in plain)
    if not any(c.isalpha() for c in kept):
        raise RequestError("identity.name-empty")
    return " ".join(kept.split())


def first_given_name(birth_list: str) -> str:
    """Give the first given name of a birth list separated by blanks (a hyphen makes one name)."""
    return normalise(birth_list).split(" ")[0]


def sound(family: str) -> str:
    """Give the phonetic key of a family name: letters and the digits 1 to 6.

    Blanks, hyphens and apostrophes do not sound; "St" reads "Saint". Only the hundred characters that a
    birth name may have (RNIV rule 12) are heard: a longer one is hostile. Raises as `normalise` does.
    """
    words = re.split(r"[ '-]", normalise(family)[:LONGEST])
    written = "".join({"ST": "SAINT", "STE": "SAINTE"}.get(word, word) for word in words)
    heard = written
    for spelling, sign in _REWRITINGS:
        heard = spelling.sub(sign, heard)
    return heard or written
