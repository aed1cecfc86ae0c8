"""`python -m tests.chaos.mutations [NAME ...] [--seeds N]`: breaks the hub on purpose, and says which seed sees it.

A simulation that finds nothing proves nothing. Each mutation takes one safeguard away for as long as its block runs; the first
seed that breaks an invariant is its proof. Exit code 1 where one is not found.
"""

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import msgspec
from sqlalchemy import Connection, update

from connectors import credit_feed
from connectors.enforcement_commands import EnforcementCommands
from connectors.errors import ConnectorError, PermanentError, UnknownOutcome
from hub.intake.poller import Poller
from hub.mirror import lapsed, ledger, quota, records
from hub.mirror.records import Outcome
from hub.mirror.rows import Rows
from hub.reconcile import settle
from hub.reconcile.call import Call
from hub.reconcile.rules import approval_verification
from hub.reconcile.settle import Judgement
from hub.telemetry import configure_logs
from schema.entities import Obligation
from tests.chaos.down import QUOTA, City, lived
from tests.chaos.seeds import seed_done

EVENTS = 60


@contextlib.contextmanager
def nothing_is_looked_up_before_it_is_made() -> Iterator[None]:
    """The enforcement platform is not asked for our number before a creation."""

    async def nothing(*_: object) -> None:
        return None

    with (
        mock.patch.object(EnforcementCommands, "_oldest", nothing),
        mock.patch.object(EnforcementCommands, "_made_lately", return_value=None),
    ):
        yield


@contextlib.contextmanager
def what_dead_processes_claimed_is_left_to_them() -> Iterator[None]:
    """Nobody takes over."""
    with mock.patch.object(lapsed, "rescue", return_value=[]):
        yield


@contextlib.contextmanager
def a_call_without_an_answer_is_given_up() -> Iterator[None]:
    """What became of it is left to people."""
    whole = Call._failed

    def hopeless(self: Call, one: Obligation, error: ConnectorError) -> Any:
        if isinstance(error, UnknownOutcome):
            error = PermanentError(error.platform, error.code, "no answer")
        return whole(self, one, error)

    with mock.patch.object(Call, "_failed", hopeless):
        yield


@contextlib.contextmanager
def two_may_claim_the_same() -> Iterator[None]:
    """The first claim of an obligation leaves it due for the next one who looks."""
    whole = ledger.claim

    def leaky(connection: Connection, rows: Rows, platform: str, limit: int, now: datetime, lease: timedelta) -> list[Obligation]:
        taken = whole(connection, rows, platform, limit, now, lease)
        for one in taken:
            if one.attempts == 1:
                connection.execute(update(ledger.OBLIGATION).where(ledger.OBLIGATION.c.key == one.key).values(state="DUE"))
        return taken

    with mock.patch.object(ledger, "claim", leaky):
        yield


@contextlib.contextmanager
def the_cursor_passes_what_may_still_appear() -> Iterator[None]:
    """The credit platform's feed counts as settled as soon as it is read."""
    whole = credit_feed.FeedReader.__init__

    def hasty(self: Any, feed: Any, snapshot: Any, clock: Any, sleep: Any, settling: timedelta) -> None:
        whole(self, feed, snapshot, clock, sleep, timedelta(seconds=-1e9))

    with mock.patch.object(credit_feed.FeedReader, "__init__", hasty):
        yield


@contextlib.contextmanager
def a_page_that_failed_is_passed_over() -> Iterator[None]:
    """The poller keeps the cursor of a page, and not its records."""
    whole = Poller._commit

    def blind(self: Poller, connection: Connection, platform: str, stream: Any, page: Any, reading: Any, bad: Any = None) -> Any:
        return whole(self, connection, platform, stream, msgspec.structs.replace(page, items=()), reading, bad)

    with mock.patch.object(Poller, "_commit", blind):
        yield


@contextlib.contextmanager
def each_call_has_its_own_quota() -> Iterator[None]:
    """Nobody waits for a slot."""

    async def at_once(*_: object) -> None:
        return None

    with mock.patch.object(quota.DatabaseQuota, "acquire", at_once):
        yield


@contextlib.contextmanager
def older_versions_are_applied_too() -> Iterator[None]:
    """What comes last wins, whatever its version."""
    whole = records._judge

    def blind(item: Any, held: Any) -> Any:
        outcome, holds = whole(item, held)
        if outcome is Outcome.STALE and not hasattr(item, "entity"):
            return Outcome.APPLIED, records._Held(item.record.version, records.digest_of(item))
        return outcome, holds

    with mock.patch.object(records, "_judge", blind):
        yield


@contextlib.contextmanager
def a_key_holds_more_than_its_cause() -> Iterator[None]:
    """The key of a verification changes with the version of its approval."""
    whole = approval_verification.ApprovalVerification.derive

    def impure(self: Any, facts: Any, *others: Any) -> Any:
        with mock.patch.object(approval_verification, "key_for", lambda no: f"approval-verification:{no}:{facts.approval.version}"):
            return whole(self, facts, *others)

    with mock.patch.object(approval_verification.ApprovalVerification, "derive", impure):
        yield


@contextlib.contextmanager
def what_is_owed_no_longer_is_sent() -> Iterator[None]:
    """A correction that comes before the call withdraws nothing."""
    with mock.patch.object(settle, "_withdraw", return_value=Judgement({})):
        yield


@contextlib.contextmanager
def nobody_is_told_of_corrections() -> Iterator[None]:
    """What was sent before its correction came is passed over in silence."""
    with mock.patch.object(settle, "_tell", return_value=Judgement({})):
        yield


@contextlib.contextmanager
def chains_are_not_kept() -> Iterator[None]:
    """Whatever is due is claimed, also what must come after another."""
    with mock.patch.object(ledger, "ENDED", [*ledger.ENDED, *ledger.OPEN]):
        yield


@contextlib.contextmanager
def unknown_outcomes_are_not_looked_up() -> Iterator[None]:
    """The connector is not told that an earlier call may have done the work."""
    whole = Call._ensure

    async def told_nothing(self: Call, one: Obligation) -> Any:
        return await whole(self, msgspec.structs.replace(one, unknown_since=None))

    with mock.patch.object(Call, "_ensure", told_nothing):
        yield


@contextlib.contextmanager
def rescue_forgets_that_the_outcome_is_unknown() -> Iterator[None]:
    """What a dead process had claimed counts as never sent."""
    whole = lapsed.rescue

    def forgetful(connection: Connection, rows: Rows, now: datetime, keys: Sequence[str]) -> list[Obligation]:
        lost = whole(connection, rows, now, keys)
        for one in lost:
            ledger.change(connection, rows, one.key, unknown_since=None)
        return lost

    with mock.patch.object(lapsed, "rescue", forgetful):
        yield


Mutation = Callable[[], AbstractContextManager[None]]
MUTATIONS: dict[str, Mutation] = {
    each.__name__: each
    for each in (
        nothing_is_looked_up_before_it_is_made,
        two_may_claim_the_same,
        what_dead_processes_claimed_is_left_to_them,
        a_call_without_an_answer_is_given_up,
        the_cursor_passes_what_may_still_appear,
        a_page_that_failed_is_passed_over,
        each_call_has_its_own_quota,
        older_versions_are_applied_too,
        a_key_holds_more_than_its_cause,
        what_is_owed_no_longer_is_sent,
        nobody_is_told_of_corrections,
        chains_are_not_kept,
    )
}


COVERED: dict[str, Mutation] = {
    each.__name__: each for each in (unknown_outcomes_are_not_looked_up, rescue_forgets_that_the_outcome_is_unknown)
}
"""What another safeguard covers where the platform can be asked for our number: nothing is to be seen of these."""


def found_by(mutation: Mutation, seeds: int, events: int = EVENTS) -> tuple[int, str] | None:
    """Return the first seed that sees a mutation, and what it says; None where so many do not.

    Swarms of some dozens of events never come near a quota; a backlog that two processes drain does.
    """
    if mutation is each_call_has_its_own_quota:
        with mutation():
            most = lived(City(breaches=60, causes=1), ill=True, processes=2).most_a_second
        return (0, f"down: {most} calls in a second") if most > QUOTA else None
    with mutation():
        for seed in range(seeds):
            if broken := seed_done(seed, events).broken:
                return seed, broken[0]
    return None


def main(arguments: list[str]) -> int:
    """Try mutations; print a row for each."""
    configure_logs("critical", as_json=False)
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.mutations", description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MUTATIONS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=200)
    asked = parser.parse_args(arguments)
    missed = 0
    for name in asked.names:
        found = found_by({**MUTATIONS, **COVERED}[name], asked.seeds)
        missed += found is None
        said = f"seed {found[0]}: {found[1][:160]}" if found else f"not within {asked.seeds} seeds"
        sys.stdout.write(f"| {name.replace('_', ' ')} | {said} |\n")
        sys.stdout.flush()
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
