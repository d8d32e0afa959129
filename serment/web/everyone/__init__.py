"""The pages that anybody may read, signed in or not, and each one's preferences. `ROUTES` is all of them."""

from starlette.routing import Route

ROUTES: list[Route] = []
