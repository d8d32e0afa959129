"""The pages of the security officer and the DPO: no care content on any. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.officer import security

ROUTES = [
    Route("/officer", security.officer, methods=["GET"]),
]
