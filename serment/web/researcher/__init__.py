"""The pages of the researcher. `ROUTES` is all of them."""

from starlette.routing import Route

from serment.web.researcher import entrance

ROUTES: list[Route] = [Route("/research", entrance.research, methods=["GET"])]
