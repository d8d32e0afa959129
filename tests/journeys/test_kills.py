"""kill -9 under mixed load, of the server and of custody: nothing acknowledged is lost or half applied."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 60
CAMPAIGN_KILLS = 300


def killed(folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """Run the driver in a process of its own: it forks its servers, and a test runner has threads."""
    command = [sys.executable, "-m", "tests.journeys.crashing", str(folder), str(kills), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def nothing_lost(told: dict[str, Any]) -> None:
    assert told["lost"] == []
    assert told["half"] == []
    assert told["untraced"] == []
    assert told["unruled"] == []
    assert told["faults"] == []
    assert min(told["created"], told["updated"], told["read"], told["transactions"]) >= told["kills"] // 2
    assert told["masks"] == 4
    assert told["custody_kills"] >= told["kills"] // 12


@pytest.mark.capability("0-05", "lets")
def test_sixty_kills_under_mixed_load_lose_nothing_acknowledged(tmp_path: Path) -> None:
    nothing_lost(killed(tmp_path / "data", KILLS, 2026))


@pytest.mark.campaign
def test_three_hundred_kills_under_mixed_load_lose_nothing_acknowledged(tmp_path: Path) -> None:
    nothing_lost(killed(tmp_path / "data", CAMPAIGN_KILLS, random.SystemRandom().randrange(1 << 30)))
