"""Draw the stacks of bench/flames: docs/images/flame-*.svg, and the table of docs/explanation/speed.md.

`make flames` samples first (`benchmarks.flames`), then draws. With `--check` the kept samples are compared
with what stands there, exit code 1 when something differs: same samples, same bytes.

Order: the tree of calls, its boxes, the picture, the table of the rooms. A box is a function, as wide as the
processor time spent in it and in what it called; below it stand those that it called, in alphabetical order.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final

from tools.generated import kept

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "bench" / "flames"
IMAGES = ROOT / "docs" / "images"
PAGE = ROOT / "docs" / "explanation" / "speed.md"
BEGIN = "<!-- rooms: make flames writes this table -->"
END = "<!-- end of rooms -->"
BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)

WIDTH: Final = 1_200.0
LINE: Final = 17
MARGIN: Final = 10
HEAD: Final = 46
CHARACTER: Final = 6.2
"""Width of a letter, in the units of the picture."""

NARROWEST: Final = 1.0
"""A box that would be narrower is left out, with all below it."""

ROOMS: Final = {
    "api": "#8fb8de",
    "door": "#8fb8de",
    "server": "#8fb8de",
    "record": "#f2c14e",
    "access": "#e07a5f",
    "keys": "#c08497",
    "ledger": "#81b29a",
    "store": "#a3b18a",
    "fhir": "#cdb4db",
    "": "#dcdcdc",
}
"""The colour of each room; "" is the standard library and what others wrote."""

TITLES: Final = {
    "read": "read by id",
    "write": "write of one resource",
    "search": "search by code in one record",
}


@dataclass(slots=True)
class Call:
    """A function and what it called; `spent` in microseconds, its callees included."""

    name: str
    spent: int = 0
    called: dict[str, Call] = field(default_factory=dict)

    def add(self, stack: list[str], spent: int) -> None:
        """Charge a stack below this function."""
        self.spent += spent
        if stack:
            self.called.setdefault(stack[0], Call(stack[0])).add(stack[1:], spent)


def tree(collapsed: str) -> Call:
    """Read lines `outer;…;inner microseconds`. What stands outside our first function is left out."""
    whole = Call("all")
    for line in collapsed.splitlines():
        stack, _, spent = line.rpartition(" ")
        frames = stack.split(";")
        ours = next((at for at, frame in enumerate(frames) if room(frame)), 0)
        whole.add(frames[ours:], int(spent))
    return whole


def room(frame: str) -> str:
    """Name the room of a function of ours, "" for one of others."""
    place, there, _ = frame.partition(" ")
    return place.partition("/")[0] if there and ":" not in place and not place.startswith("<") else ""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: place and width in units of the picture, depth from 0."""

    call: Call
    left: float
    width: float
    depth: int


def boxes(call: Call, scale: float, left: float = 0.0, depth: int = 0) -> Iterator[Box]:
    """Lay out a function and what it called; `scale` is units for one microsecond."""
    width = call.spent * scale
    if width < NARROWEST:
        return
    yield Box(call, left, width, depth)
    for name in sorted(call.called):
        below = call.called[name]
        yield from boxes(below, scale, left, depth + 1)
        left += below.spent * scale


def picture(title: str, collapsed: str) -> str:
    """Draw one picture. Raises `ValueError` for samples in which nothing was spent."""
    whole = tree(collapsed)
    if not whole.spent:
        raise ValueError(f"{title}: nothing was sampled")
    laid = list(boxes(whole, (WIDTH - 2 * MARGIN) / whole.spent))
    height = HEAD + LINE * (2 + max(box.depth for box in laid))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height}" role="img" '
        'font-family="ui-monospace, monospace" font-size="10.5">\n'
        f"<title>{escape(title)}: where the processor time goes</title>\n"
        f'<rect width="{WIDTH:.0f}" height="{height}" fill="#ffffff"/>\n'
        f'<text x="{MARGIN}" y="18" font-size="14">{escape(title)}: {whole.spent / 1e6:.1f} s of processor, '
        f"sampled; wide is expensive, below is called</text>\n"
    )
    return head + legend() + "".join(drawn(box, whole.spent) for box in laid) + "</svg>\n"


def legend() -> str:
    """Name the colours."""
    named: dict[str, list[str]] = {}
    for name, colour in ROOMS.items():
        named.setdefault(colour, []).append(name or "others")
    left, parts = float(MARGIN), []
    for colour, names in named.items():
        text = " ".join(names)
        parts.append(f'<rect x="{left:.0f}" y="26" width="11" height="11" fill="{colour}"/>')
        parts.append(f'<text x="{left + 15:.0f}" y="35">{text}</text>\n')
        left += 15 + CHARACTER * len(text) + 18
    return "".join(parts)


def drawn(box: Box, whole: int) -> str:
    """Draw one box, with its name where there is room for some of it; the rest is told by pointing at it."""
    left, top = MARGIN + box.left, HEAD + box.depth * LINE
    share = f"{box.call.spent / whole:.1%}"
    letters = int((box.width - 4) / CHARACTER)
    name = box.call.name if len(box.call.name) <= letters else box.call.name[: max(0, letters - 1)] + "…"
    text = f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(name)}</text>' if letters > 3 else ""
    colour = ROOMS.get(room(box.call.name), ROOMS["server"] if room(box.call.name) else ROOMS[""])
    return (
        f"<g><title>{escape(box.call.name)}: {share}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{box.width - 0.4:.1f}" height="{LINE - 1}" fill="{colour}"/>'
        f"{text}</g>\n"
    )


def shares(collapsed: str) -> dict[str, float]:
    """Share the time among our rooms: what others' code took counts for the room that called it."""
    spent: Counter[str] = Counter()
    for line in collapsed.splitlines():
        stack, _, taken = line.rpartition(" ")
        rooms = [room(frame) for frame in stack.split(";")]
        spent[next((one for one in reversed(rooms) if one), "")] += int(taken)
    whole = spent.total()
    return {name: taken / whole for name, taken in spent.items()}


def table(samples: dict[str, str]) -> str:
    """Write what each room took of each path; a room that took next to nothing is left out."""
    parts = {name: shares(collapsed) for name, collapsed in samples.items()}
    rooms = sorted({one for part in parts.values() for one, share in part.items() if one and share >= 0.005})
    lines = [
        f"| `{one}` | " + " | ".join(f"{parts[name].get(one, 0):.0%}" for name in parts) + " |"
        for one in rooms
    ]
    head = "| | " + " | ".join(TITLES.get(name, name) for name in parts) + " |"
    return "\n".join([BEGIN, head, "|---" * (len(parts) + 1) + "|", *lines, END])


def made() -> dict[Path, str]:
    """Make everything that the kept samples give."""
    samples = {name: SAMPLES / f"{name}.txt" for name in TITLES}
    kept = {name: file.read_text("utf-8") for name, file in samples.items() if file.exists()}
    drawings = {IMAGES / f"flame-{name}.svg": picture(TITLES[name], kept[name]) for name in kept}
    page = BLOCK.sub(lambda _: table(kept), PAGE.read_text("utf-8"))
    return drawings | {PAGE: page}


if __name__ == "__main__":
    raise SystemExit(kept(made(), sys.argv[1:]))
