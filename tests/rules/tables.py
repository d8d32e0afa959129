"""The rules as tables: a sentence, the facts, the rule that speaks. They are tests, and the manual.

`tools/render_access.py` writes them into docs/reference/access.md. A rule id that begins with G or F
permits; V and D refuse.
"""

from __future__ import annotations

from typing import Final

from tests.rules.table import Row, Table
from tests.rules.tables_grounds import GROUNDS
from tests.rules.tables_people import PEOPLE
from tests.rules.tables_relations import RELATIONS
from tests.rules.tables_vetoes import VETOES

ALL: Final = (*VETOES, *GROUNDS, *RELATIONS, *PEOPLE)

__all__ = ["ALL", "GROUNDS", "PEOPLE", "RELATIONS", "VETOES", "Row", "Table"]
