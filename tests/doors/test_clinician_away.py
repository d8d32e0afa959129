"""A clinician's pages while custody is away: what was open stays open, nothing keeps them from the search."""

from __future__ import annotations

from pathlib import Path

from tests.doors.served import served
from tests.doors.test_clinician_pages import arrived, read


def test_a_day_goes_on_while_custody_is_away(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        page = arrived(server, "attending")
        opened = f"/record/{server.record()}"
        assert page.get(opened).status_code == 200
        assert page.get("/today").status_code == 200
        server.installation.custody.kill()
        again, today = page.get(opened), page.get("/today")
        assert (again.status_code, today.status_code) == (200, 200)
        assert opened in today.text
        assert "Depuis votre passage du" in read(again)
        closed = page.get(f"/record/{server.record('celebrity')}")
        assert closed.status_code in {200, 503}


def test_a_day_that_cannot_be_listed_still_has_its_search(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        page = arrived(server, "attending")
        page.get(f"/record/{server.record()}")
        server.installation.house.passage.keyring.listed = frozenset()
        server.house.passage.keyring._held.clear()
        server.installation.custody.kill()
        today = page.get("/today")
        assert today.status_code == 200
        assert 'id="typed"' in today.text
