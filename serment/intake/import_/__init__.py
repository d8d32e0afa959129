"""`serment import`: bundles and NDJSON into records, nothing lost, nothing doubled.

    sources     files and folders, gz or not → the resources that stand in them, in order
    content     what an attachment really is: mistyped, active, or what it says
    prepare     one resource: links spliced, checked, owned, cut and indexed
    bundles     the entries of a bundle, as the bytes that stand in it
    run         the import: lots, progress, going on after a cut, the report
    quarantine  what could not be filed: listed, tried again

No author, representative or attending physician is ever made here (ADR 0008).
"""

from serment.intake.import_.quarantine import Retried, listed, retry
from serment.intake.import_.report import ImportProgress, ImportReport
from serment.intake.import_.run import run, service

__all__ = ["ImportProgress", "ImportReport", "Retried", "listed", "retry", "run", "service"]
