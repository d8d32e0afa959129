"""What a town practice sees: problems, medicines, vaccines, tests. Tables, no logic.

Codes are ICD-10, ATC and LOINC, units UCUM. Texts are those a French practice writes. Values are
plausible and invented; nothing here is advice.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Medicine:
    """One medicine and how it is taken. `days` is the length of one prescription."""

    atc: str
    text: str
    dosage: str
    days: int = 90


@dataclass(frozen=True, slots=True)
class Problem:
    """One diagnosis: who has it (share of those between the ages), its medicines and its tests."""

    code: str
    text: str
    youngest: int
    oldest: int
    share: float
    medicines: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assay:
    """One laboratory test: usual mean and spread, reference range, decimals shown."""

    loinc: str
    text: str
    unit: str
    ucum: str
    mean: float
    spread: float
    low: float | None
    high: float | None
    decimals: int


MEDICINES = {
    "metformine": Medicine("A10BA02", "Metformine 1000 mg, comprimé", "1 comprimé matin et soir"),
    "gliclazide": Medicine("A10BB09", "Gliclazide 60 mg LM, comprimé", "1 comprimé le matin"),
    "ramipril": Medicine("C09AA05", "Ramipril 5 mg, comprimé", "1 comprimé le matin"),
    "amlodipine": Medicine("C08CA01", "Amlodipine 5 mg, gélule", "1 gélule le matin"),
    "atorvastatine": Medicine("C10AA05", "Atorvastatine 20 mg, comprimé", "1 comprimé le soir"),
    "salbutamol": Medicine("R03AC02", "Salbutamol 100 µg, aérosol", "2 bouffées en cas de gêne"),
    "budesonide": Medicine("R03AK07", "Budésonide/formotérol 200/6 µg", "1 inhalation matin et soir"),
    "levothyroxine": Medicine("H03AA01", "Lévothyroxine 75 µg, comprimé", "1 comprimé le matin à jeun"),
    "sertraline": Medicine("N06AB06", "Sertraline 50 mg, comprimé", "1 comprimé le matin"),
    "apixaban": Medicine("B01AF02", "Apixaban 5 mg, comprimé", "1 comprimé matin et soir"),
    "warfarine": Medicine("B01AA03", "Warfarine 2 mg, comprimé", "selon l'INR, le soir"),
    "furosemide": Medicine("C03CA01", "Furosémide 40 mg, comprimé", "1 comprimé le matin"),
    "bisoprolol": Medicine("C07AB07", "Bisoprolol 2,5 mg, comprimé", "1 comprimé le matin"),
    "esomeprazole": Medicine("A02BC05", "Ésoméprazole 20 mg, gélule", "1 gélule le matin", 28),
    "cetirizine": Medicine("R06AE07", "Cétirizine 10 mg, comprimé", "1 comprimé le soir", 30),
    "paracetamol": Medicine("N02BE01", "Paracétamol 1 g, comprimé", "1 comprimé, 3 fois par jour au plus", 5),
    "paracetamol-enfant": Medicine("N02BE01", "Paracétamol, suspension buvable", "1 dose-poids par 6 h", 3),
    "ibuprofene": Medicine("M01AE01", "Ibuprofène 400 mg, comprimé", "1 comprimé matin, midi et soir", 5),
    "amoxicilline": Medicine("J01CA04", "Amoxicilline 1 g, comprimé", "1 comprimé matin et soir", 6),
    "fosfomycine": Medicine("J01XX01", "Fosfomycine 3 g, sachet", "1 sachet en prise unique", 1),
    "contraception": Medicine("G03AA07", "Lévonorgestrel/éthinylestradiol 150/30 µg", "1 comprimé par jour"),
    "contraception-urgence": Medicine("G03AD02", "Ulipristal 30 mg, comprimé", "1 comprimé, prise unique", 1),
    "calcium": Medicine("A12AX", "Calcium 500 mg et vitamine D3 400 UI", "2 comprimés par jour"),
}

CHRONIC = (
    Problem(
        "E11.9",
        "Diabète de type 2",
        38,
        99,
        0.12,
        ("metformine", "gliclazide"),
        ("hba1c", "creatinine", "ldl", "potassium"),
    ),
    Problem("I10", "Hypertension artérielle", 35, 99, 0.3, ("ramipril",), ("creatinine", "potassium")),
    Problem("E78.0", "Hypercholestérolémie", 35, 99, 0.2, ("atorvastatine",), ("ldl",)),
    Problem("J45.9", "Asthme", 4, 70, 0.08, ("salbutamol", "budesonide")),
    Problem("E03.9", "Hypothyroïdie", 25, 99, 0.06, ("levothyroxine",), ("tsh",)),
    Problem(
        "I48.9", "Fibrillation auriculaire", 60, 99, 0.12, ("apixaban", "bisoprolol"), ("creatinine", "hb")
    ),
    Problem("F32.1", "Épisode dépressif moyen", 18, 85, 0.08, ("sertraline",)),
    Problem("K21.9", "Reflux gastro-œsophagien", 25, 90, 0.1, ("esomeprazole",)),
    Problem("J30.1", "Rhinite allergique au pollen", 8, 60, 0.12, ("cetirizine",)),
    Problem("M81.9", "Ostéoporose", 60, 99, 0.1, ("calcium",)),
    Problem(
        "N18.3", "Insuffisance rénale chronique, stade 3", 65, 99, 0.08, (), ("creatinine", "potassium", "hb")
    ),
)

ACUTE = (
    Problem("J06.9", "Rhinopharyngite aiguë", 0, 99, 0.3, ("paracetamol",)),
    Problem("H66.9", "Otite moyenne aiguë", 0, 9, 0.25, ("amoxicilline",)),
    Problem("J20.9", "Bronchite aiguë", 3, 99, 0.15, ("paracetamol",)),
    Problem("M54.5", "Lombalgie basse", 20, 90, 0.2, ("ibuprofene", "paracetamol")),
    Problem("N30.0", "Cystite aiguë", 18, 90, 0.1, ("fosfomycine",), ("crp",)),
    Problem("A09", "Gastro-entérite aiguë", 1, 99, 0.15, ("paracetamol",)),
    Problem("S93.4", "Entorse de la cheville", 10, 60, 0.1, ("ibuprofene",)),
)

TESTS = {
    "hba1c": Assay("4548-4", "Hémoglobine glyquée (HbA1c)", "%", "%", 7.4, 0.8, 4.0, 6.0, 1),
    "creatinine": Assay("14682-9", "Créatinine", "µmol/L", "umol/L", 82.0, 14.0, 50.0, 110.0, 0),
    "ldl": Assay("2089-1", "LDL-cholestérol", "g/L", "g/L", 1.25, 0.3, None, 1.6, 2),
    "hb": Assay("718-7", "Hémoglobine", "g/dL", "g/dL", 13.6, 1.2, 12.0, 16.0, 1),
    "potassium": Assay("2823-3", "Potassium", "mmol/L", "mmol/L", 4.2, 0.3, 3.5, 5.0, 1),
    "tsh": Assay("3016-3", "TSH", "mUI/L", "m[IU]/L", 2.3, 1.0, 0.4, 4.0, 2),
    "crp": Assay("1988-5", "Protéine C réactive (CRP)", "mg/L", "mg/L", 6.0, 5.0, None, 5.0, 0),
    "inr": Assay("6301-6", "INR", "INR", "{INR}", 2.5, 0.6, 2.0, 3.0, 1),
    "albumin": Assay("1751-7", "Albumine", "g/L", "g/L", 36.0, 3.0, 35.0, 50.0, 0),
    "troponin": Assay("89579-7", "Troponine I hypersensible", "ng/L", "ng/L", 8.0, 3.0, None, 19.0, 0),
    "glucose": Assay("14771-0", "Glycémie à jeun", "mmol/L", "mmol/L", 5.2, 0.6, 3.9, 6.1, 1),
}

# Vaccines of childhood: months of age at which each dose is given.
CHILD_VACCINES = (
    ("J07CA09", "Vaccin hexavalent (DTCaP-Hib-HepB)", (2, 4, 11)),
    ("J07AL02", "Vaccin pneumococcique conjugué", (2, 4, 11)),
    ("J07AH08", "Vaccin méningococcique ACWY", (6, 12)),
    ("J07BD52", "Vaccin rougeole-oreillons-rubéole", (12, 17)),
    ("J07CA02", "Vaccin DTCaP, rappel", (72, 138)),
    ("J07BM03", "Vaccin papillomavirus humain", (138, 145)),
)
FLU_VACCINE = ("J07BB02", "Vaccin grippe saisonnière")
ADULT_BOOSTER = ("J07CA01", "Vaccin dTP, rappel")

ALLERGIES = (
    ("J01C", "Pénicillines", "medication", "high", "Urticaire"),
    ("M01AE01", "Ibuprofène", "medication", "high", "Œdème des lèvres"),
    ("", "Arachide", "food", "high", "Choc anaphylactique"),
    ("", "Pollens de graminées", "environment", "low", "Rhinite"),
    ("", "Latex", "environment", "low", "Eczéma de contact"),
)
