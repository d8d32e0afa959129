"""The process in which PDF are drawn: `python -I -m serment.paper.raster_child`, one file, then its end.

Started by `web/sandbox` without environment, with no descriptor but its pipes. It sets its limits, loads what
it needs, reads the whole request, gives up everything else, and only then looks at what it has read. An error
ends it without a word: whoever waits takes no answer for a broken file.
"""

from __future__ import annotations

import encodings.utf_16_le  # noqa: F401 - how pdfium gives text; nothing can be imported once confined
import os
import sys

from serment.paper import confinement

_WARMING = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj trailer<</Root 1 0 R>>"
)
"""An empty page: drawing it loads every part of the library while files can still be opened."""


def main() -> None:
    """Answer one request."""
    confinement.limited()
    from serment.paper import raster

    raster.sheet(_WARMING, 1)
    request = sys.stdin.buffer.read(raster.MOST_BYTES + 4096)
    confinement.confine()
    answer = raster.answered(request)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
