"""Doors for programs: FHIR R4 and health. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.api import fhir, health

ROUTES = [
    Route("/livez", health.livez, methods=["GET"]),
    Route("/readyz", health.readyz, methods=["GET"]),
    Route("/fhir/metadata", fhir.metadata, methods=["GET"]),
    Route("/fhir", fhir.transaction, methods=["POST"]),
    Route("/fhir/", fhir.transaction, methods=["POST"]),
    Route("/fhir/{type}/_search", fhir.search_post, methods=["POST"]),
    Route("/fhir/{type}/{id}/_history/{version:int}", fhir.vread, methods=["GET"]),
    Route("/fhir/{type}/{id}/_history", fhir.history, methods=["GET"]),
    Route("/fhir/{type}/{id}", fhir.read, methods=["GET"]),
    Route("/fhir/{type}/{id}", fhir.update, methods=["PUT"]),
    Route("/fhir/{type}/{id}", fhir.delete, methods=["DELETE"]),
    Route("/fhir/{type}", fhir.search_get, methods=["GET"]),
    Route("/fhir/{type}", fhir.create, methods=["POST"]),
]
