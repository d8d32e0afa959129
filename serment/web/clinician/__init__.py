"""The pages of whoever cares: a day, a record, what is written in it. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.clinician import record, today, urgent, why

ROUTES = [
    Route("/today", today.today, methods=["GET"]),
    Route("/today/find", today.look_for, methods=["POST"]),
    Route("/record/{id}", record.record, methods=["GET"]),
    Route("/record/{id}/why", why.why, methods=["GET"]),
    Route("/record/{id}/declare", why.declare, methods=["POST"]),
    Route("/record/{id}/urgent", urgent.ask, methods=["GET"]),
    Route("/record/{id}/urgent", urgent.begin, methods=["POST"]),
    Route("/record/{id}/urgent/end", urgent.end, methods=["POST"]),
]
