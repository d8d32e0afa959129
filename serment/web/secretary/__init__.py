"""The pages of the reception: people, appointments, papers; no body is read. `ROUTES` is all of them."""

from __future__ import annotations

from starlette.routing import Route

from serment.web.forms import form_at
from serment.web.secretary import agenda, duplicates, identity, papers, reception, register

_PERSON = "/reception/person/{id}"

ROUTES: list[Route] = [
    Route("/reception", reception.reception, methods=["GET"]),
    Route("/reception/find", reception.look_for, methods=["POST"]),
    form_at("/reception/new", register.asked, register.register),
    Route("/reception/agenda", agenda.agenda, methods=["GET"]),
    form_at("/reception/appointment/{id}", agenda.moving, agenda.move),
    Route("/record/{id}/appointments", agenda.lead_on, methods=["GET"]),
    Route("/reception/appointment/{id}/turn", agenda.turn, methods=["POST"]),
    Route("/reception/duplicates", duplicates.listed, methods=["GET"]),
    form_at("/reception/duplicates/{one}/{other}", duplicates.compared, duplicates.judged),
    Route(_PERSON, identity.identity, methods=["GET"]),
    Route(f"{_PERSON}/insi", identity.ask_insi, methods=["POST"]),
    Route(f"{_PERSON}/insi/accept", identity.accept, methods=["POST"]),
    Route(f"{_PERSON}/proof", identity.prove, methods=["POST"]),
    Route(f"{_PERSON}/reach", identity.reach, methods=["POST"]),
    Route(f"{_PERSON}/collision", identity.collision, methods=["POST"]),
    form_at(f"{_PERSON}/appointments", agenda.appointments, agenda.book),
    Route(f"{_PERSON}/papers", papers.papers, methods=["GET"]),
    Route(f"{_PERSON}/papers/{{paper}}/take-back", papers.take_back, methods=["POST"]),
    form_at(f"{_PERSON}/scan", papers.scanning, papers.scan),
]
