"""Doors for people: pages made on the server, French first, no script needed. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web import assets, clinician, entry, everyone, officer, patient, researcher, secretary

ROUTES = [
    *entry.ROUTES,
    *clinician.ROUTES,
    *patient.ROUTES,
    *secretary.ROUTES,
    *officer.ROUTES,
    *researcher.ROUTES,
    *everyone.ROUTES,
    Route("/static/{name}", assets.static, methods=["GET"]),
]
