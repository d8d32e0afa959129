"""The pages of the reception: people, appointments, papers; no body is read. `ROUTES` is all of them."""

from starlette.routing import Route

ROUTES: list[Route] = []
