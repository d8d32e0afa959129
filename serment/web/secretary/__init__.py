"""The pages of the reception: people, appointments, papers; no body is read. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.secretary import agenda, duplicates, identity, papers, reception, register

_PERSON = "/reception/person/{id}"
_PAIR = "/reception/duplicates/{one}/{other}"

ROUTES: list[Route] = [
    Route("/reception", reception.reception, methods=["GET"]),
    Route("/reception/find", reception.look_for, methods=["POST"]),
    Route("/reception/new", register.asked, methods=["GET"]),
    Route("/reception/new", register.register, methods=["POST"]),
    Route("/reception/agenda", agenda.agenda, methods=["GET"]),
    Route("/reception/appointment/{id}", agenda.moving, methods=["GET"]),
    Route("/reception/appointment/{id}", agenda.move, methods=["POST"]),
    Route("/reception/appointment/{id}/turn", agenda.turn, methods=["POST"]),
    Route("/reception/duplicates", duplicates.listed, methods=["GET"]),
    Route(_PAIR, duplicates.compared, methods=["GET"]),
    Route(_PAIR, duplicates.judged, methods=["POST"]),
    Route(_PERSON, identity.identity, methods=["GET"]),
    Route(f"{_PERSON}/insi", identity.ask_insi, methods=["POST"]),
    Route(f"{_PERSON}/insi/accept", identity.accept, methods=["POST"]),
    Route(f"{_PERSON}/proof", identity.prove, methods=["POST"]),
    Route(f"{_PERSON}/reach", identity.reach, methods=["POST"]),
    Route(f"{_PERSON}/collision", identity.collision, methods=["POST"]),
    Route(f"{_PERSON}/appointments", agenda.appointments, methods=["GET"]),
    Route(f"{_PERSON}/appointments", agenda.book, methods=["POST"]),
    Route(f"{_PERSON}/papers", papers.papers, methods=["GET"]),
    Route(f"{_PERSON}/papers/{{paper}}/take-back", papers.take_back, methods=["POST"]),
    Route(f"{_PERSON}/scan", papers.scanning, methods=["GET"]),
    Route(f"{_PERSON}/scan", papers.scan, methods=["POST"]),
]
