"""The vetoes, in the order of evaluation, each with the only relations that lift it.

1. insurer, lender, employer purpose (CSP L1111-18): nobody lifts it
   then, for a program: what its scope does not name (SMART App Launch 2.2); nobody lifts it (ADR 51)
2. closed record, `shared` only (CSP L1111-18): the holder, and an heir after death
3. blocked professional: in `shared` nobody (EEDS td02 NB1); in `own` the author on own items, and
   the emergency door on unmasked ones (ADR 0002)
4. announcement timer (CSP R1111-53), stops the patient's side: nobody while it runs
5. minor's secret (CSP R1111-50, L1111-5), stops representative, carer and heir: nobody
6. third-party information (CSP L1111-7, R1111-1), stops the patient's side: nobody
7. opposed, whole or by category (CSP L1110-4 IV, R1111-46): holder, representative, author, attending
   physician; in `own` also the emergency door
8. masked (CSP R1111-49, L1111-16): those four, never an emergency door (ADR 0003)
9. grid or matrix refuses: those four for looking; nobody for writing (ADR 0008); on the patient's
   choices holder and representative only (HOUSE section 5)
10. report of abuse (Code penal 226-14), stops every proxy and the alleged author: its author (ADR 42)

The table is the rule: `decide` walks it, `explain` quotes it, `prove` tries every case against it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from serment.access.facts import Facts
from serment.model import Act, Denial, Regime

Test = Callable[[Facts], bool]

RELATIONS: Final[dict[str, Test]] = {
    "holder": lambda f: f.holder,
    "heir": lambda f: f.heir,
    "representative": lambda f: f.representative,
    "author": lambda f: f.author,
    "attending": lambda f: f.attending,
    "emergency": lambda f: f.emergency or f.regulation,
    "unmasked-emergency": lambda f: f.unmasked_emergency,
}
"""The relations that may lift a veto, by the name under which a veto quotes them."""

FOUR: Final = ("holder", "representative", "author", "attending")


@dataclass(frozen=True, slots=True)
class Veto:
    """One veto: its rule id, what is missing, when it stands, and who lifts it in each regime."""

    rule: str
    missing: str
    stands: Test
    own: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()

    def lifted_by(self, regime: Regime | None) -> tuple[str, ...]:
        """Name the relations that lift this veto in `regime`."""
        return self.own if regime is Regime.OWN else self.shared

    def stops(self, facts: Facts) -> bool:
        """Tell whether this veto stands and no relation lifts it."""
        return self.stands(facts) and not any(RELATIONS[name](facts) for name in self.lifted_by(facts.regime))


_WRITE, _FILE = Act.WRITE, Act.FILE


def _outside_cell(facts: Facts) -> bool:
    return facts.act not in facts.cell


def _writes(facts: Facts) -> bool:
    return facts.act is _WRITE or facts.act is _FILE


VETOES: Final[tuple[Veto, ...]] = (
    # 1. Contract, insurance, lending, employment: never, even with consent.
    Veto("V1.third-party-purpose", "care-purpose", lambda f: f.third_party_purpose),
    # A program does what its scope names of what its person may do, and never more.
    Veto("S1.scope", "scope", lambda f: f.outside_scope),
    # 2. A closed shared record is its holder's alone; after death an heir asks on a ground of the law.
    Veto(
        "V2.closed",
        "open-record",
        lambda f: f.closed and f.regime is Regime.SHARED,
        shared=("holder", "heir"),
    ),
    # 3. The patient blocked this professional.
    Veto("V3.blocked", "unblocking", lambda f: f.blocked, own=("author", "unmasked-emergency")),
    # 4. A professional must announce it first.
    Veto("V4.timer", "announcement", lambda f: f.timer_running and f.patient_side),
    # 5. The minor asked for secrecy.
    Veto("V5.minor-secret", "minor-leave", lambda f: f.minor_secret and f.proxy),
    # 6. It speaks of somebody else.
    Veto("V6.third-party", "third-party-leave", lambda f: f.third_party and f.patient_side),
    # 7. The patient opposed sharing, whole or for this category.
    Veto("V7.opposed", "end-of-opposition", lambda f: f.opposed, own=(*FOUR, "emergency"), shared=FOUR),
    # 8. The patient masked it: an emergency never lifts a mask.
    Veto("V8.masked", "unmasking", lambda f: f.masked, own=FOUR, shared=FOUR),
    # 9. The chosen cell of the grid or matrix does not hold the act.
    Veto(
        "V9.choices",
        "patient-side",
        lambda f: f.patient_only and _outside_cell(f),
        own=("holder", "representative"),
        shared=("holder", "representative"),
    ),
    Veto("V9.write", "writing-cell", lambda f: _writes(f) and _outside_cell(f)),
    Veto("V9.cell", "cell", _outside_cell, own=FOUR, shared=FOUR),
    # 10. A report of abuse is kept from whoever may have done it.
    Veto("V10.abuse-report", "report-leave", lambda f: f.withheld, own=("author",), shared=("author",)),
)


def first_veto(facts: Facts) -> Denial | None:
    """Give the first veto that stops this case, or None."""
    for veto in VETOES:
        if veto.stands(facts) and veto.stops(facts):
            return Denial(veto.rule, veto.missing, veto.lifted_by(facts.regime))
    return None
