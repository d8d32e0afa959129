"""What holds for every test: repeatable examples, no setting from outside, no quiet skip.

- Hypothesis draws the same examples at each run; `make campaign` draws many new ones.
- Variables of the environment that Serment reads are taken away, so that a test means the same everywhere.
- With `SERMENT_NO_SKIP=1` (build machines) a skipped test is a failure that carries its reason. Tests that
  the short set leaves to the campaign are deselected, not skipped.
- What tests count of themselves (`COUNT`) is added up and said at the end, whichever process ran them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

NO_SKIP = "SERMENT_NO_SKIP"
COUNT = "count"
"""The name of the property of a test that holds a name and a number."""

settings.register_profile(
    "short", derandomize=True, database=None, deadline=None, max_examples=60, print_blob=True
)
settings.register_profile(
    "campaign",
    derandomize=False,
    database=None,
    deadline=None,
    max_examples=2_000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("short")


@pytest.fixture(autouse=True)
def _no_setting_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("SERMENT_") and name != NO_SKIP:
            monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where skips are forbidden."""
    report = yield
    if report.skipped and _forbidden() and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = _sentence(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure where skips are forbidden."""
    report = yield
    if report.skipped and _forbidden():
        report.outcome = "failed"
        report.longrepr = _sentence(report.longrepr)
    return report


def _forbidden() -> bool:
    return os.environ.get(NO_SKIP) == "1"


def _sentence(longrepr: object) -> str:
    reason = longrepr[2] if isinstance(longrepr, tuple) else longrepr
    return f"{NO_SKIP}=1 forbids skips, and this was skipped: {reason}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the tests counted."""
    counted: Counter[str] = Counter()
    for report in terminalreporter.getreports(""):
        for name, value in report.user_properties if report.when == "teardown" else ():
            if name == COUNT:
                what, number = value
                counted[what] += number
    for what, number in counted.items():
        terminalreporter.write_line(f"{number} {what}")
