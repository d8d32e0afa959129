"""The pages of the person whose record it is. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.patient import choices, errands, me, paper, people, record, where, who

_ERRANDS = [
    ("/errands", errands.errands, ["GET"]),
    ("/errands/seen", errands.seen, ["POST"]),
    ("/errands/access", errands.answer_access, ["POST"]),
    ("/errands/deposit/{errand}", errands.deposit, ["GET", "POST"]),
    ("/correct/{type}/{item}", errands.correct, ["GET", "POST"]),
    ("/ask-access", errands.ask_access, ["POST"]),
    ("/contact", errands.contact, ["GET", "POST"]),
]
"""What a person is asked and asks, at their own address and at that of whom they represent."""

ROUTES = [
    *(
        Route(f"{base}{path}", endpoint, methods=methods)
        for base in ("/me", "/record/{id}")
        for path, endpoint, methods in _ERRANDS
    ),
    Route("/me", me.me, methods=["GET"]),
    Route("/me/record", record.record, methods=["GET"]),
    Route("/me/record/{kind}", record.kind, methods=["GET"]),
    Route("/me/mask", record.mask, methods=["POST"]),
    Route("/me/unmask", record.unmask, methods=["POST"]),
    Route("/me/who", who.who, methods=["GET"]),
    Route("/me/who/check", who.check, methods=["POST"]),
    Route("/me/who/paper", who.as_paper, methods=["POST"]),
    Route("/me/who/proof", who.with_proof, methods=["POST"]),
    Route("/me/where", where.where, methods=["GET"]),
    Route("/me/choices", choices.choices, methods=["GET", "POST"]),
    Route("/me/people", people.people, methods=["GET"]),
    Route("/me/people/carer", people.name_carer, methods=["POST"]),
    Route("/me/people/dismiss", people.dismiss_carer, methods=["POST"]),
    Route("/me/people/act-for", people.act_for, methods=["POST"]),
    Route("/me/download", paper.download, methods=["GET"]),
    Route("/me/download/files", paper.as_files, methods=["POST"]),
    Route("/me/download/paper", paper.as_paper, methods=["POST"]),
]
