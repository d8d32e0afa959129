"""The pages that anybody may read, signed in or not, and each one's preferences. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.everyone import counter, leaving, plain, preferences, shared, training, verify

ROUTES: list[Route] = [
    Route("/accessibility", plain.accessibility, methods=["GET"]),
    Route("/words", plain.words, methods=["GET"]),
    Route("/what-leaves", leaving.leaves, methods=["GET"]),
    Route("/preferences", preferences.preferences, methods=["GET", "POST"]),
    Route("/training", training.training, methods=["GET", "POST"]),
    Route("/counter", counter.counter, methods=["GET", "POST"]),
    Route("/counter/end", counter.end, methods=["POST"]),
    Route("/counter/over", counter.over, methods=["GET"]),
    Route("/record/{id}/counter", counter.hand_over, methods=["GET", "POST"]),
    Route("/verify", verify.verify, methods=["GET", "POST"]),
    Route("/shared/{secret}", shared.shared, methods=["GET", "POST"]),
]
