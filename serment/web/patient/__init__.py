"""The pages of the person whose record it is. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.patient import me

ROUTES = [
    Route("/me", me.me, methods=["GET"]),
    Route("/me/mask", me.mask, methods=["POST"]),
    Route("/me/unmask", me.unmask, methods=["POST"]),
]
