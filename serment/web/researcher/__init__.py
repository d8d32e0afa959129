"""The pages of the researcher. `ROUTES` is all of them."""

from starlette.routing import Route

ROUTES: list[Route] = []
