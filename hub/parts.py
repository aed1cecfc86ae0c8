"""What a process of the hub is made of: settings -> database, connectors, rules, intake, worker, schedules, desks.

Time, waiting, chance and transport come in from outside (`World`). app.py opens it, runs it and serves it.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from connectors.base import Clock, Connector, Item, Sleep, Surroundings
from connectors.registry import CONNECTORS
from hub.alerts.desk import AlertDesk
from hub.backfill import Backfiller
from hub.campaign_requests import CampaignRequests
from hub.conditions import Conditions
from hub.delivery_traces import DeliveryTracer
from hub.domain.policy import DEFAULT_FOLDER, Policy, load_policy
from hub.eligibility import Asker
from hub.graph.feeds.feeds import LiveFeeds
from hub.intake.apply import Applier
from hub.intake.applying import Applying
from hub.intake.comparison import Comparer
from hub.intake.deliveries import Deliveries
from hub.intake.drift import Drift
from hub.intake.full_read import FullReads
from hub.intake.poller import Poller
from hub.intake.refusals import Refusals
from hub.intake.rehearsal import Rehearsal
from hub.intake.tombstones import Tombstones
from hub.keeping import Keeping
from hub.levers import Levers
from hub.live_reads import LiveReader
from hub.loops import Loops
from hub.mirror import measures
from hub.mirror.database import Database, open_database
from hub.mirror.quota import DatabaseQuota
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.wake_ups import Topic, WakeUps
from hub.notices import NoticeDesk
from hub.observing import Observing
from hub.operator import Operator
from hub.platform_health import HealthDesk
from hub.reconcile.derive import Derivation
from hub.reconcile.pace import Pace
from hub.reconcile.rule import Rulebook
from hub.reconcile.rules import RULES
from hub.reconcile.scores import Scores
from hub.reconcile.sweep import Sweep
from hub.reconcile.tally import Tally
from hub.reconcile.transcript import keeper
from hub.reconcile.worker import Worker
from hub.reveals import Reveals
from hub.schedules import Schedule, Scheduler
from hub.settings import Settings
from hub.tracing import Tracing, traceparent
from schema.context import PlatformHealth

TO_DECIDE = 0.3
"""Seconds of an answer's time that are left when the live reads of a question are over."""

SLOWER = 5
"""How many times the idle time passes until subscribers' feeds look without being woken."""


def system_clock() -> datetime:
    """Return the present moment, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    """What the hub is given from outside; tests and simulations give their own."""

    clock: Clock = system_clock
    sleep: Sleep = asyncio.sleep
    rng: random.Random = field(default_factory=random.Random)
    transports: Mapping[str, httpx.AsyncBaseTransport] = field(default_factory=dict)
    inline_database: bool = False
    """No driver threads: databases are used in the caller's own turn, as simulated time needs it."""
    tracing: Tracing | None = None
    """Where traces go; else the settings say."""
    database: Database | None = None
    """The hub's own database where it is open already; else the settings say which."""


class Parts:
    """All parts of one process, each built once and handed to those that need it."""

    def __init__(self, settings: Settings, world: World) -> None:
        self.settings = settings
        self.world = world
        own = settings.hub
        self.policy: Policy = load_policy(own.policy_dir or DEFAULT_FOLDER)
        self.rows = Rows(Seals.from_text([key.get_secret_value() for key in own.pii_keys], own.pii_join_key.get_secret_value()))
        self.database: Database = world.database or open_database(
            own.database_url, inline=world.inline_database, connections=own.database_connections
        )
        self.observing = Observing(
            own, world.clock, world.transports, world.tracing, self.database, in_memory=world.database is not None
        )
        self.metrics, self.tracing = self.observing.metrics, self.observing.tracing
        self.replica = self._replica()
        self.conditions = Conditions(self.database, self.rows, world.clock, own.clock_warning_seconds)
        self.connectors = self._connect()
        self.conditions.connect(self.connectors)
        self.derivation = Derivation(self.rows, RULES, Rulebook(self.policy, own.region))
        self._arrived = asyncio.Event()
        self.worker = Worker(
            self.database,
            self.rows,
            self.connectors,
            self.derivation,
            self._pace(),
            self._apply,
            clock=world.clock,
            sleep=world.sleep,
            rng=world.rng,
            tracing=self.tracing,
        )
        self.feeds = LiveFeeds(
            self.database,
            self.rows,
            self._platforms,
            sleep=world.sleep,
            window=own.subscription_window,
            look_again_seconds=own.idle_seconds * SLOWER,
        )
        heard = {Topic.DELIVERIES: self._arrived.set, Topic.OBLIGATIONS: self.worker.wake, Topic.CHANGES: self.feeds.look}
        self.wake_ups = WakeUps(self.database, heard, sleep=world.sleep)
        arrived, due = (partial(self.wake_ups.tell, topic) for topic in (Topic.DELIVERIES, Topic.OBLIGATIONS))
        self.applier = Applier(
            self.database, self.rows, self.connectors, self.derivation, clock=world.clock, after=due, tracing=self.tracing
        )
        self.levers = Levers(self.database, self.rows, self.connectors, world.clock, due)
        self.deliveries = Deliveries(
            self.database,
            self.rows,
            self.connectors,
            clock=world.clock,
            after=arrived,
            verified_by=self.conditions.verified,
            most_waiting=own.webhook_waiting,
            most_bytes=own.webhook_waiting_bytes,
            tracing=self.tracing,
        )
        self.refusals = Refusals(self.database, self.rows, world.clock, own.keep_refusals_days)
        tombstones = Tombstones(
            self.database,
            self.rows,
            self.connectors,
            self.applier,
            clock=world.clock,
            after=due,
            share=own.tombstone_percent / 100,
            at_least=own.tombstones_unasked,
        )
        grace, read_every = timedelta(seconds=own.drift_grace_seconds), timedelta(seconds=own.full_read_seconds)
        self.poller = Poller(
            self.database,
            self.rows,
            self.connectors,
            self.applier,
            FullReads(self.database, self.rows, tombstones, clock=world.clock, grace=grace, every=read_every),
            clock=world.clock,
            sleep=world.sleep,
            rng=world.rng,
            after=due,
            lease_seconds=own.poll_lease_seconds,
        )
        comparer = Comparer(
            self.database,
            self.rows,
            self.applier,
            tombstones,
            clock=world.clock,
            sleep=world.sleep,
            after=due,
            grace=grace,
            share=own.drift_percent / 100,
        )
        self.drift = Drift(
            self.database,
            self.rows,
            self.connectors,
            comparer,
            self.poller,
            tombstones,
            clock=world.clock,
            digest_every=timedelta(seconds=own.drift_seconds),
            read_every=read_every,
        )
        self.sweep = Sweep(self.database, self.rows, self.derivation, world.clock)
        self.live = LiveReader(
            self.database,
            self.rows,
            self.connectors,
            self.applier.write,
            clock=world.clock,
            share=own.live_percent / 100,
            is_paused=self.levers.is_paused,
            after=due,
            count=lambda platform, outcome: self.metrics.live_reads.labels(platform, outcome).inc(),
        )
        self.asker = Asker(
            self.database,
            self.rows,
            self.connectors,
            self.policy,
            self._apply,
            clock=world.clock,
            budget_seconds=min(float(self.policy.eligibility.live_budget_seconds), own.eligibility_seconds - TO_DECIDE),
            place=self.live.share.place,
            under_way=own.eligibility_under_way,
            is_paused=self.levers.is_paused,
        )
        self.scores = self._scores()
        self.tally = Tally(self.database)
        self.health = HealthDesk(
            self.database,
            self.replica or self.database,
            self.rows,
            self.connectors,
            self.levers,
            self.conditions,
            self.observing.call_counts,
            self.refusals.keep,
            world.clock,
        )
        self.gauges = self.observing.gauges(self.health, self.replica, lambda: self.feeds.listeners, lambda: self.policy.calendar)
        self.alerts = AlertDesk(self.database, self.connectors, self.gauges, self.observing.teller, world.clock)
        self.tracer = DeliveryTracer(self.database, self.rows, self.connectors, world.clock, timedelta(days=own.keep_refusals_days))
        self.keeping = Keeping(
            self.database,
            self.rows,
            world.clock,
            days={
                "deliveries": own.keep_deliveries_days,
                "attempts": own.keep_attempts_days,
                "quarantine": own.keep_quarantine_days,
                "ops_items": own.keep_ops_items_days,
                "drift": own.keep_drift_days,
                "changes": own.keep_changes_days,
                "audit": own.keep_audit_days,
                "obligation_changes": own.keep_obligation_changes_days,
            },
            shells=[name for name, one in self.connectors.items() if not one.signatures_expire],
        )
        self.operator = Operator(
            self.database,
            self.replica or self.database,
            self.rows,
            self.connectors,
            self.asker,
            self.derivation,
            world.clock,
            timedelta(seconds=own.stale_seconds),
            wake=due,
            arrived=arrived,
            campaigns=CampaignRequests(
                self.database, self.rows, self.applier.write, lambda: self.derivation.book.policy, world.clock, after=due
            ),
            notices=NoticeDesk(self.database, self.rows, self.applier.write, world.clock, due),
            levers=self.levers,
            live=self.live,
            health=self.health,
            tracer=self.tracer,
            backfiller=Backfiller(
                self.database,
                self.rows,
                self.connectors,
                Rehearsal(self.database, self.rows, self.connectors, self.derivation),
                self.levers,
                world.clock,
                due,
            ),
            feeds=self.feeds,
            revealer=Reveals(self.database, self.rows, world.clock, own.reveals_per_hour),
            desk=self.alerts,
        )
        self.loops = Loops(
            Applying(self.applier, self.deliveries, self._arrived, sleep=world.sleep, idle_seconds=own.idle_seconds),
            self.deliveries,
            self.poller if own.poll else None,
            self.worker,
            Scheduler(
                self.database, self._schedules(), clock=world.clock, sleep=world.sleep, lease_seconds=own.schedule_lease_seconds
            ),
            self.operator,
            self.wake_ups,
            self.replica,
            self.feeds,
            self.observing.watch,
            world.sleep,
            idle_seconds=own.idle_seconds,
        )

    def _schedules(self) -> list[Schedule]:
        """Return what one process at a time does regularly."""
        own = self.settings.hub
        return [
            Schedule("sweep", own.sweep_seconds, self._sweep, at_once=False, noted=True),
            Schedule(measures.FULL_SWEEP, own.full_sweep_seconds, self._sweep_everything, noted=True),
            Schedule("waiting", own.waiting_seconds, self._look_at_waiting, at_once=False),
            Schedule("count", own.idle_seconds, self.tally.count),
            Schedule("seal", own.seal_seconds, self._seal),
            Schedule("prune", own.prune_seconds, self.keeping.prune, at_once=False, noted=True),
            Schedule("drift", own.waiting_seconds, self.drift.look, at_once=False),
            Schedule("alerts", own.alert_seconds, self.alerts.look, at_once=False, noted=True),
            *([Schedule("scores", own.score_seconds, self.scores.reconcile, at_once=False)] if self.scores else []),
        ]

    async def _platforms(self) -> Sequence[PlatformHealth]:
        return await self.operator.platforms()

    async def _seal(self) -> None:
        if await self.keeping.seal():
            self.wake_ups.tell(Topic.CHANGES)

    async def _sweep(self) -> None:
        await self.sweep.recent()
        self.wake_ups.tell(Topic.OBLIGATIONS)
        await self.tally.recount_some()

    async def _sweep_everything(self) -> None:
        await self.sweep.everything()
        self.wake_ups.tell(Topic.OBLIGATIONS)

    async def _look_at_waiting(self) -> None:
        """Look at what waits more often than the sweep does at everything."""
        await self.sweep.waiting()
        self.wake_ups.tell(Topic.OBLIGATIONS)

    def _replica(self) -> Replica | None:
        own, world = self.settings.hub, self.world
        if own.database_read_url is None:
            return None
        return Replica(
            self.database,
            own.database_read_url,
            connections=own.database_connections,
            most_lag_seconds=own.database_read_lag_seconds,
            clock=world.clock,
            sleep=world.sleep,
        )

    def _connect(self) -> dict[str, Connector]:
        own, world = self.settings.hub, self.world
        quota = DatabaseQuota(self.database, clock=world.clock, sleep=world.sleep)
        made = {}
        for name in own.platforms:
            surroundings = Surroundings(
                clock=world.clock,
                sleep=world.sleep,
                rng=world.rng,
                quota=quota,
                transport=world.transports.get(name),
                inline=world.inline_database,
                observe=self.observing.call,
                trace_headers=traceparent,
                keeper=keeper,
                notices=self.conditions,
            )
            made[name] = CONNECTORS[name](self.settings.platform(name), surroundings)
        return made

    def _scores(self) -> Scores | None:
        """Return what compares points with the credit platform; None where it is not bridged."""
        if (credit := self.connectors.get("credit")) is None:
            return None
        return Scores(
            self.database,
            self.rows,
            credit,
            lambda: self.derivation.book.policy,
            self._apply,
            clock=self.world.clock,
            sleep=self.world.sleep,
            patience=timedelta(seconds=self.settings.hub.score_patience_seconds),
        )

    async def _apply(self, platform: str, stream: str, items: Sequence[Item]) -> None:
        await self.applier.apply(platform, stream, items)

    def _pace(self) -> Pace:
        own = self.settings.hub
        return Pace(
            lease_seconds=own.lease_seconds,
            echo_seconds=own.echo_seconds,
            idle_seconds=own.idle_seconds,
            rescue_seconds=own.rescue_seconds,
            backoff_seconds=own.backoff_seconds,
            backoff_most_seconds=own.backoff_most_seconds,
        )
