"""Every page of the house that a person may look at: who looks, and where. An unlisted one fails the tour.

A stop is a route of `serment.web` that answers GET, the role of the cast that goes there, and its address on
the small installation of the tests. What the tour passes by says why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from serment.web import ROUTES
from tests.doors.served import Served

NOBODY: Final = ""
"""Of a page that is looked at before signing in."""
PATIENT: Final = "patient"
"""The holder; every other role is one of the staff of the cast."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One page: its route, who looks, its address (a function of the server when it holds an id)."""

    route: str
    role: str
    at: str | Callable[[Served], str] = ""
    status: int = 200

    def address(self, server: Served) -> str:
        """Say where this page stands on a server."""
        return self.at(server) if callable(self.at) else self.at or self.route


def of_record(tail: str = "") -> Callable[[Served], str]:
    """Give the address of a page of the patient's record."""
    return lambda server: f"/record/{server.record()}{tail}"


def linked_from(tail: str, begins: str) -> Callable[[Served], str]:
    """Give the first address on a page of the record that begins so: ids are made anew each time."""

    def address(server: Served) -> str:
        doctor = server.browser()
        doctor.get(server.code(server.installation.staff("team-doctor"), "/home"))
        text = doctor.get(of_record(tail)(server)).text
        found = re.search(f'href="({of_record(begins)(server)}[^"?]+)"', text)
        assert found is not None, begins
        return found[1]

    return address


def of_desk(tail: str = "") -> Callable[[Served], str]:
    """Give the address of a page of the patient at the reception."""
    return lambda server: f"/reception/person/{server.record()}{tail}"


def of_paper(begins: str) -> Callable[[Served], str]:
    """Sign a prescription, and give the address of a page about it."""

    def address(server: Served) -> str:
        doctor = server.browser()
        doctor.get(server.code(server.installation.staff("attending"), "/home"))
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', doctor.get("/home").text)
        assert found is not None
        line = {"name": "Paracétamol 1 g", "dose": "1 comprimé si douleur", "duration": "", "renewals": ""}
        to = of_record("/prescription")(server)
        made = doctor.post(to, data={"csrf": found[1], **line}).headers["location"]
        return of_record(begins + made.rpartition("/")[2])(server)

    return address


STOPS: Final[tuple[Stop, ...]] = (
    Stop("/sign-in", NOBODY),
    Stop("/today", "team-doctor"),
    Stop("/home", "team-doctor"),
    Stop("/home", "secretary"),
    Stop("/home", PATIENT),
    Stop("/acts", "team-doctor"),
    Stop("/record/{id}", "team-doctor", of_record()),
    Stop("/record/{id}", "unrelated-doctor", of_record(), 404),
    Stop("/record/{id}/timeline", "team-doctor", of_record("/timeline?kind=labs&since=2024-01-01")),
    Stop("/record/{id}/timeline", "unrelated-doctor", of_record("/timeline"), 404),
    Stop("/record/{id}/problems", "team-doctor", of_record("/problems")),
    Stop("/record/{id}/treatments", "team-doctor", of_record("/treatments")),
    Stop("/record/{id}/allergies", "team-doctor", of_record("/allergies")),
    Stop("/record/{id}/vaccinations", "team-doctor", of_record("/vaccinations")),
    Stop("/record/{id}/vitals", "team-doctor", of_record("/vitals")),
    Stop("/record/{id}/vitals/{series}", "team-doctor", linked_from("/vitals", "/vitals/")),
    Stop("/record/{id}/labs", "team-doctor", of_record("/labs")),
    Stop("/record/{id}/labs/{series}", "team-doctor", linked_from("/labs", "/labs/")),
    Stop("/record/{id}/item/{type}/{item}", "team-doctor", linked_from("/timeline", "/item/")),
    Stop("/record/{id}/documents", "team-doctor", of_record("/documents")),
    Stop("/record/{id}/document/{type}/{item}", "team-doctor", linked_from("/documents", "/document/")),
    Stop("/record/{id}/why", "team-doctor", of_record("/why")),
    Stop("/record/{id}/why", "unrelated-doctor", of_record("/why")),
    Stop("/record/{id}/urgent", "unrelated-doctor", of_record("/urgent")),
    Stop("/record/{id}/consultation", "team-doctor", of_record("/consultation")),
    Stop("/record/{id}/consultation", "unrelated-doctor", of_record("/consultation"), 404),
    Stop("/record/{id}/consultation/{visit}", "team-doctor", of_record("/consultation/nothing")),
    Stop("/record/{id}/deposit", "team-doctor", of_record("/deposit")),
    Stop("/record/{id}/proposals", "team-doctor", of_record("/proposals")),
    Stop("/record/{id}/prescription", "attending", of_record("/prescription")),
    Stop("/record/{id}/prescription", "unrelated-doctor", of_record("/prescription"), 404),
    Stop("/record/{id}/prescription/{document}", "attending", of_paper("/prescription/")),
    Stop("/record/{id}/sign/{document}", "attending", of_paper("/sign/")),
    Stop("/record/{id}/print", "team-doctor", of_record("/print")),
    Stop("/record/{id}/share", "team-doctor", of_record("/share")),
    Stop("/record/{id}/share", PATIENT, of_record("/share")),
    Stop("/verify", NOBODY),
    Stop("/shared/{secret}", NOBODY, "/shared/nothing"),
    Stop("/templates", "team-doctor"),
    Stop("/templates", "secretary"),
    Stop("/reception", "secretary"),
    Stop("/reception/new", "secretary"),
    Stop("/reception/agenda", "secretary"),
    Stop("/reception/duplicates", "secretary"),
    Stop("/reception/person/{id}", "secretary", of_desk()),
    Stop("/reception/person/{id}", "unrelated-doctor", of_desk(), 404),
    Stop("/reception/person/{id}/appointments", "secretary", of_desk("/appointments")),
    Stop("/reception/person/{id}/appointments", "team-doctor", of_desk("/appointments")),
    Stop("/reception/person/{id}/papers", "secretary", of_desk("/papers")),
    Stop("/reception/person/{id}/scan", "secretary", of_desk("/scan")),
    Stop("/inbox", "attending"),
    Stop("/record/{id}/ask", "unrelated-doctor", of_record("/ask")),
    Stop("/record/{id}/ask-document", "attending", of_record("/ask-document")),
    Stop("/record/{id}/counter", "secretary", of_record("/counter")),
    Stop("/counter", NOBODY),
    Stop("/counter/over", NOBODY),
    Stop("/me/errands", PATIENT),
    Stop("/me/contact", PATIENT),
    Stop(
        "/me/correct/{type}/{item}",
        PATIENT,
        lambda server: f"/me/correct/{server.installation.item('laboratory')}",
    ),
    Stop("/officer/requests", "dpo"),
    Stop("/me", PATIENT),
    Stop("/me/record", PATIENT),
    Stop("/me/record/{kind}", PATIENT, "/me/record/labs"),
    Stop("/me/who", PATIENT),
    Stop("/me/where", PATIENT),
    Stop("/me/choices", PATIENT),
    Stop("/me/people", PATIENT),
    Stop("/me/download", PATIENT),
    Stop("/officer", "officer"),
    Stop("/officer/policy", "officer"),
    Stop("/officer/policy", "officer", "/officer/policy?row=shared.21"),
    Stop("/officer/policy/preview", "officer"),
    Stop("/officer/processors", "officer"),
    Stop("/officer/keys", "officer"),
    Stop("/officer/sessions", "officer"),
    Stop("/officer/declared", "officer"),
    Stop("/officer/activity", "officer"),
    Stop("/officer/training", "officer"),
    Stop("/officer/privacy", "officer"),
    Stop("/accessibility", NOBODY),
    Stop("/words", NOBODY),
    Stop("/what-leaves", NOBODY),
    Stop("/what-leaves", PATIENT),
    Stop("/preferences", NOBODY),
    Stop("/training", "secretary"),
    Stop("/research", "researcher"),
)

PASSED_BY: Final = {
    "/inbox/correction/{id}": "belongs to pages/test_errands: something is asked first",
    "/me/errands/deposit/{errand}": "belongs to pages/test_errands: something is asked first",
    "/record/{id}/errands": "belongs to doors/test_errand_pages: as /me, for who represents somebody",
    "/record/{id}/errands/deposit/{errand}": "belongs to doors/test_errand_pages, as above",
    "/record/{id}/correct/{type}/{item}": "belongs to doors/test_errand_pages, as above",
    "/record/{id}/contact": "belongs to doors/test_errand_pages, as above",
    "/record/{id}/appointments": "leads to another page",
    "/reception/appointment/{id}": "belongs to doors/test_secretary_pages: it moves one that is booked",
    "/reception/duplicates/{one}/{other}": "belongs to doors/test_secretary_pages: a pair that is suspected",
    "/record/{id}/document/{type}/{item}/picture": "a picture, not a page",
    "/record/{id}/document/{type}/{item}/download": "a file to keep, not a page",
    "/officer/policy/tables/{name}": "is a table to keep, no page",
    "/": "leads to another page",
    "/enter/{code}": "spends a code and leads on",
    "/static/{name}": "no page",
    "/openid/go-on": "belongs to journeys/test_identity_provider",
    "/openid/{provider}": "leads to the provider",
    "/openid/{provider}/return": "belongs to journeys/test_identity_provider",
    "/authorize": "belongs to journeys/test_consent_page",
    "/programs": "belongs to journeys/test_consent_page: a demonstration link has no account",
    "/sign-in/next": "belongs to journeys/test_passkeys",
    "/join": "belongs to journeys/test_passkeys",
    "/join/{code}": "spends an invitation and leads on",
    "/account": "belongs to journeys/test_passkeys: a demonstration link has no account",
    "/account/credentials": "belongs to journeys/test_passkeys",
    "/account/lost": "belongs to attacks/test_planted_passkey: a demonstration link has no account",
    "/unlock": "belongs to journeys/test_unlock_page",
    "/unlocked": "belongs to journeys/test_unlock_page",
}
"""Routes that answer GET and are no stop: why."""


def looked_at() -> Iterator[str]:
    """Give every route of the house that a person may look at."""
    for route in ROUTES:
        if "GET" in (route.methods or set()):
            yield route.path
