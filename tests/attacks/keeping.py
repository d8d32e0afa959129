"""A server that keeps a draft and is killed: `python -m tests.attacks.keeping FOLDER KILLS`.

Each life opens the house, keeps the draft of one note again and again, and tells every keeping that was
acknowledged; after some of them it gets SIGKILL. What stands then is told as JSON, life by life: the last
keeping that was acknowledged, and the one that is given back.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from serment.model import RequestId
from serment.record.asking import Asking
from serment.record.visits.drafting import fresh_id
from serment.record.writing import new_id
from tests.installation import Installation, run, small_installation


def asked(made: Installation) -> Asking:
    asking = made.store.asking(made.store.people.patients[0].attending.actor())
    return replace(asking, request=RequestId(new_id()), now=made.house.passage.clock())


async def keep(made: Installation, id_: str, begin: int, pipe: int) -> None:
    """Keep the draft until killed, telling each number once it is kept."""
    number = begin
    while True:
        number += 1
        await made.house.drafting.keep(asked(made), made.record(), id_, {"note": [str(number)]})
        os.write(pipe, f"{number}\n".encode())


def one_life(made: Installation, id_: str, begin: int, lines: int) -> int:
    """Let a server keep for `lines` keepings, kill it, and give the last that it acknowledged."""
    reads, writes = os.pipe()
    server = os.fork()
    if server == 0:
        os.close(reads)
        try:
            made.reopen()
            asyncio.run(keep(made, id_, begin, writes))
        finally:
            os._exit(1)
    os.close(writes)
    told = b""
    with os.fdopen(reads, "rb", buffering=0) as pipe:
        while told.count(b"\n") < lines and (piece := pipe.read(4096)):
            told += piece
        os.kill(server, signal.SIGKILL)
        while piece := pipe.read(4096):
            told += piece
    os.waitpid(server, 0)
    return int(told[: told.rfind(b"\n")].splitlines()[-1])


def main(folder: Path, kills: int) -> None:
    """Kill `kills` times, and say what was kept and what was given back."""
    seen, id_ = [], fresh_id()
    with small_installation(folder) as made:
        made.house.close()
        acknowledged = 0
        for turn in range(kills):
            acknowledged = one_life(made, id_, acknowledged, 3 + 4 * turn)
            made.reopen()
            back = run(made.house.drafting.taken_up(asked(made), made.record()))
            seen.append((acknowledged, -1 if back is None else int(back.fields["note"][0])))
            acknowledged = seen[-1][1]
            made.house.close()
        made.reopen()
    sys.stdout.write(json.dumps(seen) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
