"""The only wiring: settings -> database, connectors, rules, intake, worker, graph, web.

Time, waiting, chance and transport come in from outside (`World`).
"""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import structlog
from starlette.applications import Starlette
from starlette.routing import Route

from connectors.base import Clock, Connector, Item, Sleep, Surroundings
from connectors.registry import CONNECTORS
from hub.campaign_requests import CampaignRequests
from hub.domain.policy import DEFAULT_FOLDER, Policy, load_policy
from hub.eligibility import Asker
from hub.graph.access import Keyring
from hub.graph.loaders import Loaders
from hub.graph.schema import build_schema
from hub.intake.apply import Applier
from hub.intake.deliveries import Deliveries
from hub.intake.drift import Drift
from hub.intake.full_read import FullReads
from hub.intake.poller import Poller
from hub.intake.room import Room
from hub.intake.tombstones import Tombstones
from hub.keeping import Keeping
from hub.loops import Loops
from hub.mirror import inbox, ledger, merges, ops_list
from hub.mirror.database import Database, open_database
from hub.mirror.quota import DatabaseQuota
from hub.mirror.replica import Replica
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.upgrade import current_revision, head_revision, upgrade
from hub.mirror.wake_ups import Topic, WakeUps
from hub.notices import NoticeDesk
from hub.operator import Operator
from hub.policy_records import policy_records
from hub.reconcile.derive import Derivation
from hub.reconcile.pace import Pace
from hub.reconcile.rule import Rulebook
from hub.reconcile.rules import RULES
from hub.reconcile.scores import Scores
from hub.reconcile.sweep import Sweep
from hub.reconcile.tally import Tally
from hub.reconcile.worker import Worker
from hub.schedules import Schedule, Scheduler
from hub.settings import Settings, application_keys
from hub.telemetry import Metrics
from hub.web.eligibility import EligibilityEndpoint
from hub.web.graphql import GraphQLEndpoint
from hub.web.health import Health
from hub.web.webhooks import Webhooks
from schema.context import GRAPH_READ, Context
from schema.identifiers import rid_code

log = structlog.get_logger()

TO_DECIDE = 0.3
"""Seconds of an answer's time that are left when the live reads of a question are over."""


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
    database: Database | None = None
    """The hub's own database where it is open already; else the settings say which."""


class SchemaOutdated(Exception):
    """The database server has not been brought up to this version."""


class Hub:
    """One process of the hub, built from settings. `running` starts its loops; `web` is what it serves."""

    def __init__(self, settings: Settings, world: World | None = None) -> None:
        self.settings = settings
        self.world = world = world or World()
        own = settings.hub
        self.metrics = Metrics()
        self.policy: Policy = load_policy(own.policy_dir or DEFAULT_FOLDER)
        self.rows = Rows(Seals.from_text([key.get_secret_value() for key in own.pii_keys], own.pii_join_key.get_secret_value()))
        self.database: Database = world.database or open_database(own.database_url, inline=world.inline_database)
        self.replica = self._replica()
        self.connectors = self._connect()
        self.derivation = Derivation(self.rows, RULES, Rulebook(self.policy, own.region))
        self._arrived = asyncio.Event()
        self._opened = False
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
        )
        heard = {Topic.DELIVERIES: self._arrived.set, Topic.OBLIGATIONS: self.worker.wake}
        self.wake_ups = WakeUps(self.database, heard, sleep=world.sleep)
        arrived, due = (partial(self.wake_ups.tell, topic) for topic in (Topic.DELIVERIES, Topic.OBLIGATIONS))
        self.applier = Applier(self.database, self.rows, self.connectors, self.derivation, clock=world.clock, after=due)
        self.deliveries = Deliveries(
            self.database,
            self.rows,
            self.connectors,
            clock=world.clock,
            after=arrived,
            most_waiting=own.webhook_waiting,
            most_bytes=own.webhook_waiting_bytes,
        )
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
        self.drift = Drift(
            self.database,
            self.rows,
            self.connectors,
            self.applier,
            self.poller,
            tombstones,
            clock=world.clock,
            sleep=world.sleep,
            after=due,
            grace=grace,
            share=own.drift_percent / 100,
            digest_every=timedelta(seconds=own.drift_seconds),
            read_every=read_every,
        )
        self.sweep = Sweep(self.database, self.rows, self.derivation, world.clock)
        self.asker = Asker(
            self.database,
            self.rows,
            self.connectors,
            self.policy,
            self._apply,
            clock=world.clock,
            budget_seconds=min(float(self.policy.eligibility.live_budget_seconds), own.eligibility_seconds - TO_DECIDE),
        )
        self.scores = self._scores()
        self.tally = Tally(self.database)
        self.keeping = Keeping(
            self.database,
            self.rows,
            world.clock,
            days={
                "deliveries": own.keep_deliveries_days,
                "attempts": own.keep_attempts_days,
                "quarantine": own.keep_quarantine_days,
                "ops_items": own.keep_ops_items_days,
                "changes": own.keep_changes_days,
                "audit": own.keep_audit_days,
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
                self.database,
                self.rows,
                self.applier.write,
                lambda: self.derivation.book.policy,
                world.clock,
                after=due,
            ),
            notices=NoticeDesk(self.database, self.rows, self.applier.write, world.clock, due),
        )
        self.loops = Loops(
            self.applier,
            self.deliveries,
            self.poller if own.poll else None,
            self.worker,
            Scheduler(
                self.database, self._schedules(), clock=world.clock, sleep=world.sleep, lease_seconds=own.schedule_lease_seconds
            ),
            self.operator,
            self._arrived,
            self.wake_ups,
            self.replica,
            world.sleep,
            idle_seconds=own.idle_seconds,
        )

    def _schedules(self) -> list[Schedule]:
        """Return what one process at a time does regularly."""
        own = self.settings.hub
        return [
            Schedule("sweep", own.sweep_seconds, self._sweep, at_once=False),
            Schedule("full-sweep", own.full_sweep_seconds, self._sweep_everything),
            Schedule("waiting", own.waiting_seconds, self._look_at_waiting, at_once=False),
            Schedule("count", own.idle_seconds, self.tally.count),
            Schedule("seal", own.seal_seconds, self.keeping.seal),
            Schedule("prune", own.prune_seconds, self.keeping.prune, at_once=False),
            Schedule("drift", own.waiting_seconds, self.drift.look, at_once=False),
            *([Schedule("scores", own.score_seconds, self.scores.reconcile, at_once=False)] if self.scores else []),
        ]

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
        lag = own.database_read_lag_seconds
        return Replica(self.database, own.database_read_url, most_lag_seconds=lag, clock=world.clock, sleep=world.sleep)

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
                observe=self.metrics.observe_call,
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

    @contextlib.asynccontextmanager
    async def opened(self, *, upgrading: bool = False) -> AsyncIterator["Hub"]:
        """Have the database ready, and close everything in the end; raise SchemaOutdated.

        The embedded database is brought up to date by itself, a server only by `bihuan db upgrade`. Opened once more inside, it
        stays as it is: so a command sees what is wrong before anything is served.
        """
        if self._opened:
            yield self
            return
        self._opened = True
        try:
            if upgrading or not self.database.shared:
                await upgrade(self.database)
            elif (revision := await current_revision(self.database)) != head_revision():
                raise SchemaOutdated(
                    f"the database is at revision {revision or 'none'}; run `bihuan db upgrade` once, then start again"
                )
            await self._complete_identifiers()
            await self._seed_policy()
            await self._name_left_out()
            yield self
        finally:
            await self.asker.close()
            for connector in self.connectors.values():
                await connector.close()
            if self.replica:
                await self.replica.close()
            await self.database.close()

    @contextlib.asynccontextmanager
    async def running(self, *, intake: bool = True, work: bool = True) -> AsyncIterator["Hub"]:
        """Run the loops of this process: intake (webhooks are stored and applied), work (poll, discharge, sweep)."""
        async with self.loops.running(intake=intake, work=work):
            yield self

    async def _complete_identifiers(self) -> None:
        """Let what was written before there were identifiers be found by them; only a look where that was done."""
        if not await self.database.read(merges.is_complete):
            while await self.database.write(merges.complete, self.rows):
                pass

    async def _name_left_out(self) -> None:
        """Say, once a start, to which platforms something is owed that this process does not bridge."""
        for status in await self.operator.status():
            if not status.bridged:
                log.warning("obligations wait for a platform that is left out", platform=status.name, open=status.backlog)

    async def _seed_policy(self) -> None:
        """Put what policy says of matters, departments and items into the mirror; platforms that speak win (policy.md)."""
        await self.database.write(self.applier.write, "policy", "files", policy_records(self.policy, self.world.clock()))

    async def refresh_metrics(self) -> None:
        """Bring gauges up to date."""
        for (platform, state), count in (await self.database.read(ledger.backlog)).items():
            self.metrics.obligations.labels(platform, state).set(count)
        waiting, quarantined = await self.database.read(inbox.waiting), await self.database.read(inbox.open_quarantine)
        for platform in self.connectors:
            self.metrics.deliveries_waiting.labels(platform).set(waiting.get(platform, 0))
            self.metrics.quarantined.labels(platform).set(quarantined.get(platform, 0))
        if self.replica:
            lag, trouble = self.replica.health
            self.metrics.replica_read.set(trouble is None)
            self.metrics.replica_lag.set(float("nan") if lag is None else lag)
        self.metrics.ops_items.set(await self.database.read(ops_list.open_count))

    def web(self) -> Starlette:
        """Return what this process serves; its lifespan runs the loops."""
        own = self.settings.hub
        webhooks = Webhooks(
            self.deliveries,
            self.connectors,
            limit_bytes=own.webhook_limit_bytes,
            reading=Room(own.webhook_waiting, own.webhook_waiting_bytes),
            answer_seconds=own.webhook_seconds,
            trusted_proxies=own.trusted_proxies,
            clock=self.world.clock,
            count=lambda platform, outcome: self.metrics.webhooks.labels(platform, outcome).inc(),
        )

        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with self.opened(), self.running(work=own.worker_inside):
                yield

        graph = GraphQLEndpoint(
            build_schema(introspection=not own.production),
            Keyring(application_keys(own.api_keys), frozenset({GRAPH_READ}) if own.graph_anonymous else frozenset()),
            lambda caller, correlation_id: Context(
                Loaders(self.database, self.rows, self.replica), self.operator, caller, correlation_id
            ),
            lambda: uuid.uuid4().hex,
            own.graph_limit_bytes,
            Room(own.graph_under_way),
        )
        return Starlette(
            lifespan=lifespan,
            routes=[
                Route("/graphql", graph),
                Route("/webhooks/{platform}", webhooks, methods=["POST"]),
                *self._eligibility(),
                *self._health(),
            ],
        )

    def probes(self) -> Starlette:
        """Return what a process serves that only works: health and metrics. Its loops are run by the caller."""
        return Starlette(routes=self._health())

    def _health(self) -> list[Route]:
        health = Health(self.database, self.replica, self.metrics.registry, self.refresh_metrics)
        return [Route("/livez", health.livez), Route("/readyz", health.readyz), Route("/metrics", health.metrics)]

    def _eligibility(self) -> list[Route]:
        """Return the route of the approval system's questions; none where it is not bridged."""
        if (approval := self.connectors.get("approval")) is None:
            return []
        own = self.settings.hub
        key = self.settings.platform("credit" if "credit" in self.connectors else "approval").exchange_key  # type: ignore[attr-defined]
        endpoint = EligibilityEndpoint(
            approval,
            self.asker.ask,
            lambda identity_no: rid_code(identity_no, key.get_secret_value()),
            answer_seconds=own.eligibility_seconds,
            room=Room(own.eligibility_under_way),
            trusted_proxies=own.trusted_proxies,
            clock=self.world.clock,
            count=lambda outcome: self.metrics.eligibility.labels(outcome).inc(),
        )
        return [Route("/approval/eligibility", endpoint.__call__, methods=["POST"])]
