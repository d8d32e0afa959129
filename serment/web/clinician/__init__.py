"""The pages of whoever cares: a day, a record, what is written in it. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.clinician import record

ROUTES = [
    Route("/record/{id}", record.record, methods=["GET"]),
]
