"""Fixtures of the end-to-end tests: a stage with the platforms on it. See stage.py."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Four platforms that behave, and time ten times faster."""
    async with staged(tmp_path / "house") as ready:
        yield ready
