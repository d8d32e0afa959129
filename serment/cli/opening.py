"""One way in for every command that needs an open installation.

Custody that runs and is open is used as it is. Where none runs, one is started for the command and
the passphrase is asked. One that runs *locked* belongs to a server: a command never unlocks it in
passing, somebody says `serment unlock`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serment.cli import secret
from serment.errors import LockedError, RefusedError
from serment.settings import Settings

if TYPE_CHECKING:
    from serment.app import Custody
    from serment.record.house import House


@contextmanager
def custody(settings: Settings) -> Iterator[Custody]:
    """Lend custody as it stands, locked or not. Raises `NotFoundError`, `CustodyError`."""
    from serment import app

    with app.lent_custody(settings) as lent:
        yield lent


@contextmanager
def open_custody(
    settings: Settings, passphrase_file: Path | None, *, demo_only: str = ""
) -> Iterator[Custody]:
    """Lend custody, open. With `demo_only` (a sentence) a production store is refused before anything.

    Raises `LockedError`, `RefusedError`, `SignInError`, `IntegrityError`.
    """
    from serment import app

    ran = app.custody_runs(settings)
    with app.lent_custody(settings) as lent:
        state = lent.state()
        if demo_only and state.kind is not app.StoreKind.DEMO:
            raise RefusedError(demo_only)
        if state.phase is not app.Phase.OPEN:
            if ran:
                raise LockedError("custody.locked")
            app.unlock(settings, lent, secret.passphrase(passphrase_file))
        yield lent


@contextmanager
def house(settings: Settings, passphrase_file: Path | None, *, demo_only: str = "") -> Iterator[House]:
    """Open the installation. Raises as `open_custody` does."""
    from serment import app

    with open_custody(settings, passphrase_file, demo_only=demo_only):
        opened = app.open_house(settings)
        try:
            yield opened
        finally:
            opened.close()
