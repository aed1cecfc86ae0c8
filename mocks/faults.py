"""What can be made to go wrong on a mock platform, by a test or through `/_control/faults`."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Faults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faults of one platform; everything off is the default. Shares are probabilities from 0 to 1."""

    latency_seconds: Seconds = 0.0
    """Every call waits this long before it is looked at."""
    error_rate: Share = 0.0
    """Share of calls that get a server error in the platform's dialect, with nothing done."""
    timeout_after_work: Share = 0.0
    """Share of creating calls that do their work, and whose answer never comes."""
    hang_seconds: Seconds = 60.0
    """How long such a call stays open before the connection is dropped."""
    outage: bool = False
    """Every call gets a server error; no callback leaves until it is over."""
    clock_skew_seconds: float = 0.0
    """The platform's clock is this far ahead of the true one (behind, when negative)."""
    callbacks_off: bool = False
    """No callback is begun at all; what happens meanwhile is never told."""
    callbacks_lost: Share = 0.0
    """Share of single deliveries that never leave and count as unanswered (their repetitions may still arrive)."""
    callbacks_doubled: Share = 0.0
    """Share of single deliveries that are sent twice, byte for byte."""
    callbacks_shuffled: Seconds = 0.0
    """Each callback begins after a random delay of up to this, so that their order is lost."""

    def changed(self, update: Mapping[str, Any]) -> "Faults":
        """Return these faults with some replaced; raise msgspec.ValidationError for an unknown name or an impossible value."""
        return msgspec.convert({**msgspec.structs.asdict(self), **update}, Faults)
