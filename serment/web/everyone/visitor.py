"""Who looks at a page that anybody may look at: somebody signed in, or nobody. Neither is refused."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from serment.door.asking import cookie_of, house_of
from serment.errors import DependencyError, RequestError, SignInError
from serment.record.asking import Asking
from serment.record.house import House
from serment.web.shell import who_of


def visitor(request: Request) -> tuple[House, Asking] | None:
    """Give the house and who is signed in; None for nobody, and while the server is locked."""
    try:
        house = house_of(request)
        return house, cookie_of(request, house)
    except (SignInError, DependencyError, RequestError):
        return None


def around(request: Request) -> dict[str, Any]:
    """Give what the frame of a page says of who looks at it."""
    met = visitor(request)
    return who_of(request, *met) if met is not None else {}
