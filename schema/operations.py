"""What operators and front ends may ask the engine to do. Each can be repeated without harm, and is audited under the caller's
name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schema.request_inputs import RequestCampaignInput
from schema.user_errors import UserError


@dataclass(frozen=True)
class Outcome:
    """Keys of what was done, in the order asked, and what was refused. What had been done before counts as done."""

    done: tuple[str, ...] = ()
    refused: tuple[UserError, ...] = ()


class Desk(Protocol):
    """Where front ends ask for something to be made; `by` is the name of the caller. Asked twice, it is made once."""

    async def request_campaign(self, wanted: RequestCampaignInput, by: str) -> Outcome:
        """Keep a request for a joint inspection; done are its number and the key of what is owed because of it.

        Refuses UnusableText, NoDepartment, UnknownDepartment, UnknownGrade, OutOfRange, InThePast; RequestConflict where the number
        stands for another content.
        """
        ...


class Operations(Protocol):
    """`by` is the name of the caller. Reasons are never blank: the schema has refused those."""

    async def retry(self, keys: Sequence[str], reason: str | None, by: str) -> Outcome:
        """Make obligations that are stuck, waived or settled due again, now; refuse UnknownObligation, WrongState."""
        ...

    async def waive(self, key: str, reason: str, by: str) -> Outcome:
        """Take an open obligation off the ledger; refuse UnknownObligation, WrongState."""
        ...

    async def settle(self, key: str, reason: str, by: str) -> Outcome:
        """Note that an open obligation was discharged by hand; refuse UnknownObligation, WrongState."""
        ...

    async def resolve(self, item_id: str, resolution: str, by: str) -> Outcome:
        """Close an item of the ops list; refuse UnknownOpsItem, WrongState."""
        ...

    async def compare_now(self, platform: str, by: str) -> Outcome:
        """Let all comparisons with a platform be due now; done are the ids of their reports. Refuses UnknownPlatform."""
        ...

    async def approve_tombstones(self, item_id: str, reason: str, by: str) -> Outcome:
        """Let what an item of the ops list names, and its platform does not show any more, be marked as gone.

        Refuses UnknownOpsItem, WrongState. What the platform shows by then after all is not marked.
        """
        ...

    async def merge(self, identifier: str, into: str, reason: str, by: str) -> Outcome:
        """Merge what an identifier names into the subject of another; done is the merge's id.

        Refuses InvalidIdentifier, UnknownSubject, SameSubject, CircularMerge, AlreadyMerged, PersonWithEnterprise.
        """
        ...

    async def split(self, merge_id: str, reason: str, by: str) -> Outcome:
        """Undo a merge; refuse UnknownMerge."""
        ...

    async def resync(self, platform: str, stream: str | None, by: str) -> Outcome:
        """Read a platform's stream again from its beginning, or all its streams; done are their stream ids.

        Refuses UnknownPlatform, UnknownStream.
        """
        ...

    async def replay(self, delivery_ids: Sequence[str], by: str) -> Outcome:
        """Apply deliveries once more, from what was kept of them; refuse UnknownDelivery."""
        ...

    async def replay_since(self, platform: str, since: datetime, by: str) -> Outcome:
        """Apply once more all deliveries that a platform posted at `since` or later; refuse UnknownPlatform."""
        ...
