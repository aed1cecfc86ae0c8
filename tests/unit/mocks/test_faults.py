"""Faults and quotas of the mock platforms."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from mocks.faults import Faults
from mocks.quota import Quota


def test_a_quota_is_a_sliding_window() -> None:
    quota, start = Quota(2, 1.0), datetime(2019, 8, 15, tzinfo=UTC)
    times = [quota.take(start + timedelta(seconds=seconds)) for seconds in (0.0, 0.6, 0.9, 1.0, 1.1)]
    assert times == pytest.approx([0.0, 0.0, 0.1, 0.0, 0.5])


def test_a_fault_that_does_not_exist_or_is_impossible_is_named() -> None:
    assert Faults().changed({"outage": True, "error_rate": 0.5}) == Faults(outage=True, error_rate=0.5)
    with pytest.raises(msgspec.ValidationError, match="latency"):
        Faults().changed({"latency": 1})
    with pytest.raises(msgspec.ValidationError, match="error_rate"):
        Faults().changed({"error_rate": 2})
