"""A document and what is said of it, written together: the new version, and a Provenance filed as it is.

A Provenance follows its target: who reads the document reads what proves it, and nobody else.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from serment.access.categories import Classified, classify_with
from serment.record import filing, writing
from serment.record.asking import Asking
from serment.record.incoming import Incoming, owning_reference
from serment.record.passage import Passage
from serment.record.pen import Pen
from serment.record.write import Written
from serment.record.writing import Writing


class Attesting:
    """The passage for what is written together with its proof."""

    def __init__(self, passage: Passage, writes: Writing) -> None:
        self._passage = passage
        self._writing = writes

    async def attest(
        self, asking: Asking, document: Incoming, id_: str, version: int, proof: Incoming
    ) -> Written:
        """Write a new version of a document and its proof: both or neither. Raises what a write raises."""
        job = partial(_attest, document=document, id_=id_, version=version, proof=proof)
        return await self._writing.run(asking, [f"{document.type}/{id_}"], job)


def _attest(pen: Pen, *, document: Incoming, id_: str, version: int, proof: Incoming) -> Written:
    reference = f"{document.type}/{id_}"
    made = writing.change(pen, document, id_, owning_reference(document, id_), version)
    unit = filing.class_of(writing.draft_of(pen, reference, {}), reference)
    if unit is not None:
        target = Classified(unit.category, proof.type, unit.labels)
        proof = replace(proof, **classify_with(proof.document.value, target)._asdict())
    writing.put(pen, proof, writing.new_id(), {}, pen.asking.actor.id)
    return made
