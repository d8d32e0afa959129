"""An import in a process of its own, to be killed.

    python -m tests.journeys.importer DATA SOURCE STRUCTURE [WORKERS]

Custody runs already, and outlives this process. One line a lot goes to the standard output, the report last.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from serment import app, settings
from serment.intake import import_


def main(folder: str, source: str, structure: str, workers: str = "0") -> None:
    house = app.open_house(settings.read({}, Path(folder), 0))
    try:
        report = import_.run(
            house,
            Path(source),
            import_.service(house, structure),
            name="former-software",
            workers=int(workers),
            progress=lambda where: print("lot", where.resources, flush=True),  # noqa: T201 - the parent counts lots
        )
        print(json.dumps({**asdict(report), "reasons": dict(report.reasons)}))  # noqa: T201 - read by the parent
    finally:
        house.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
