"""Sample the server on its three hottest paths: `python -m benchmarks.flames` writes `bench/flames/*.txt`.

Each path (read by id, write of one resource, search) is asked over HTTP by sixteen clients of a server in a
process of its own on SQLite, which samples itself (`sampling`) once it is warm. `tools/render_flames.py`
draws what comes out.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import quickly
from benchmarks.bench_http import asked, mix, readable
from benchmarks.client import load
from benchmarks.installation import Installation, installation
from benchmarks.serving import START, sampled, serving

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "bench" / "flames"
PATIENTS = quickly(20, 10)
SECONDS = quickly(15.0, 1.5)
WARM = quickly(3.0, 1.0)
CLIENTS = 16


def main() -> None:
    """Sample each path on one store and keep its stacks."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with installation(PATIENTS) as made:
        for name, plan in paths(made).items():
            print(f"{name} …", file=sys.stderr, flush=True)
            sample(made, plan, FOLDER / f"{name}.txt")


def paths(made: Installation) -> dict[str, dict[str, Any]]:
    """Plan what is asked for each picture."""
    references = uvloop.run(readable(made))
    patients = [one.rpartition("/")[2] for one in references if one.startswith("Patient/")]
    searches = [f"Observation?patient={one}&code=http://loinc.org|29463-7&_count=10" for one in patients]
    read = asked(made, references, CLIENTS)
    return {
        "read": read,
        "write": asyncio.run(mix(made, read)) | {"clients": CLIENTS, "mix": {"create": 1}},
        "search": asked(made, searches, CLIENTS),
    }


def sample(made: Installation, plan: dict[str, Any], file: Path) -> None:
    """Load a fresh server, warm first, and keep the stacks of the second load."""
    with sampled(file), serving(made.settings) as server:
        load(plan | {"seconds": WARM})
        server.send_signal(START)
        seen = load(plan | {"seconds": SECONDS})
        if seen.failed:
            raise RuntimeError(f"{file.stem}: {seen.failed}")


if __name__ == "__main__":
    main()
