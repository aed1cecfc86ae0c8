"""Intake logs what it passes over, on purpose; tests look at what was kept instead."""

from collections.abc import Iterator

import pytest
import structlog.testing


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[structlog.typing.EventDict]]:
    """What was logged, instead of printing it."""
    with structlog.testing.capture_logs() as entries:
        yield entries
