"""Doors for people: pages made on the server, French first, no script needed. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web import account, assets, consenting, joining, openid, pages, signing, unlocking

ROUTES = [
    Route("/enter/{code}", pages.enter, methods=["GET"]),
    Route("/sign-out", pages.sign_out, methods=["POST"]),
    Route("/record/{id}", pages.record, methods=["GET"]),
    Route("/me", pages.me, methods=["GET"]),
    Route("/me/mask", pages.mask, methods=["POST"]),
    Route("/me/unmask", pages.unmask, methods=["POST"]),
    Route("/officer", pages.officer, methods=["GET"]),
    Route("/openid/choose", openid.choose, methods=["POST"]),
    Route("/openid/go-on", openid.go_on, methods=["GET"]),
    Route("/openid/{provider}", openid.leave, methods=["GET"]),
    Route("/openid/{provider}/return", openid.back, methods=["GET"]),
    Route("/openid/{provider}/ended", openid.ended, methods=["POST"]),
    Route("/authorize", consenting.authorise, methods=["GET"]),
    Route("/authorize/answer", consenting.answer, methods=["POST"]),
    Route("/sign-in", signing.sign_in, methods=["GET", "POST"]),
    Route("/sign-in/passkey", signing.by_passkey, methods=["POST"]),
    Route("/sign-in/next", signing.comes_next, methods=["GET", "POST"]),
    Route("/again", signing.again, methods=["POST"]),
    Route("/join/{code}", joining.follow, methods=["GET"]),
    Route("/join", joining.join, methods=["GET", "POST"]),
    Route("/account", account.account, methods=["GET"]),
    Route("/account/sessions", account.end_session, methods=["POST"]),
    Route("/account/hacked", account.hacked, methods=["POST"]),
    Route("/account/seen", account.seen, methods=["POST"]),
    Route("/account/credentials", account.credentials, methods=["GET"]),
    Route("/account/passkeys", account.add_passkey, methods=["POST"]),
    Route("/account/passkeys/remove", account.remove_passkey, methods=["POST"]),
    Route("/account/password", account.change_password, methods=["POST"]),
    Route("/account/codes", account.change_codes, methods=["POST"]),
    Route("/unlock", unlocking.unlock, methods=["GET", "POST"]),
    Route("/unlocked", unlocking.unlocked, methods=["GET"]),
    Route("/static/serment.css", assets.style, methods=["GET"]),
    Route("/static/passkey.js", assets.passkey_script, methods=["GET"]),
    Route("/static/serment.svg", assets.icon, methods=["GET"]),
    Route("/", pages.home, methods=["GET"]),
]
