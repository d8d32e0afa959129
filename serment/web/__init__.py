"""Doors for people: pages made on the server, French first, no script needed. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web import openid, pages, unlocking

ROUTES = [
    Route("/enter/{code}", pages.enter, methods=["GET"]),
    Route("/sign-out", pages.sign_out, methods=["POST"]),
    Route("/record/{id}", pages.record, methods=["GET"]),
    Route("/me", pages.me, methods=["GET"]),
    Route("/me/mask", pages.mask, methods=["POST"]),
    Route("/me/unmask", pages.unmask, methods=["POST"]),
    Route("/officer", pages.officer, methods=["GET"]),
    Route("/openid/choose", openid.choose, methods=["POST"]),
    Route("/openid/{provider}", openid.leave, methods=["GET"]),
    Route("/openid/{provider}/return", openid.back, methods=["GET"]),
    Route("/openid/{provider}/ended", openid.ended, methods=["POST"]),
    Route("/unlock", unlocking.unlock, methods=["GET", "POST"]),
    Route("/unlocked", unlocking.unlocked, methods=["GET"]),
    Route("/static/serment.css", pages.style, methods=["GET"]),
    Route("/static/serment.svg", pages.icon, methods=["GET"]),
    Route("/", pages.home, methods=["GET"]),
]
