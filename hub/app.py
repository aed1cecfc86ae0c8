"""The hub as a process: opened on a database that is up to date, its loops running, served. What it is made of is in parts.py."""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from functools import cached_property, partial

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from hub.access.application_keys import Keyring
from hub.access.door import Door
from hub.access.rates import Rates
from hub.access.settings import application_keys, sign_in_of, tokens_of
from hub.graph.compiled.executor import Executor
from hub.graph.loaders import Loaders
from hub.graph.schema import build_schema
from hub.graph.trusted import DocumentsUnusable, trusted_documents
from hub.intake.room import Room
from hub.mirror import merges
from hub.mirror.database import DatabaseUnavailable
from hub.mirror.upgrade import current_revision, head_revision, upgrade
from hub.parts import Parts, World
from hub.policy_records import policy_records
from hub.settings import Settings
from hub.web.base_path import BasePath
from hub.web.console import console_routes
from hub.web.eligibility import EligibilityEndpoint
from hub.web.explorer import explorer_routes
from hub.web.graphql import GraphQLEndpoint
from hub.web.health import Health
from hub.web.open_connections import Openings, Patience
from hub.web.origins import readable_from
from hub.web.webhooks import Webhooks, name_open_doors
from schema.context import GRAPH_READ, Context
from schema.identifiers import rid_code

log = structlog.get_logger()


class SchemaOutdated(Exception):
    """The database server has not been brought up to this version."""


class Hub(Parts):
    """One process of the hub, built from settings. `running` starts its loops; `web` is what it serves."""

    def __init__(self, settings: Settings, world: World | None = None) -> None:
        super().__init__(settings, world or World())
        self._opened = False
        own = self.settings.hub
        try:
            self.trusted = trusted_documents(own.graph_documents, only=own.graph_documents_only)
        except DocumentsUnusable as error:
            raise ValueError(f"HUB_GRAPH_DOCUMENTS: {error}") from None
        self.door = Door(
            Keyring(application_keys(own.api_keys, own.region)[0]),
            frozenset({GRAPH_READ}) if own.graph_anonymous else frozenset(),
            tokens_of(own, self.world.clock),
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
            await self.live.close()
            await self.door.close()
            await self.observing.close()
            with contextlib.suppress(DatabaseUnavailable):
                await self.conditions.keep()
                await self.observing.call_counts.keep(at_once=True)
                await self.refusals.keep()
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
        await self.gauges.refresh()

    @cached_property
    def executor(self) -> Executor:
        """Return what answers the graph, and count in the metrics how it does."""
        schema = build_schema(introspection=self.settings.hub.explored)
        executor = Executor(schema, self.rows, self.database, self.replica)
        self.metrics.count_operations(executor.tally.counts)
        return executor

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
            refused=self.refusals.note,
        )

        @contextlib.asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            name_open_doors(self.connectors)
            async with self.opened(), self.running(work=own.worker_inside):
                yield

        graph = GraphQLEndpoint(
            self.executor.schema,
            self.door,
            lambda caller, correlation_id: Context(
                Loaders(self.database, self.rows, caller, self.replica), self.operator, caller, correlation_id
            ),
            partial(secrets.token_hex, 16),
            own.graph_limit_bytes,
            self.executor,
            Room(own.graph_under_way),
            self.trusted,
            Rates(own.graph_rate_per_second, own.graph_burst, time.monotonic) if own.graph_rate_per_second else None,
            own.trusted_proxies,
            Openings(
                own.subscriptions,
                own.subscriptions_of_connection,
                Patience(beat=own.subscription_beat_seconds, slow=own.subscription_slow_seconds),
            ),
            own.cors_origins,
        )
        served = Starlette(
            lifespan=lifespan,
            middleware=[Middleware(BasePath, base=own.base_path)] if own.base_path else [],
            routes=[
                Route("/graphql", readable_from(graph, own.cors_origins)),
                WebSocketRoute("/graphql", graph),
                Route("/webhooks/{platform}", webhooks, methods=["POST"]),
                *self._eligibility(),
                *console_routes(sign_in=sign_in_of(own, time.monotonic)),
                *(explorer_routes() if own.explored else ()),
                *self._health(),
            ],
        )
        served.state.leave = graph.openings.leave
        return served

    def probes(self) -> Starlette:
        """Return what a process serves that only works: health and metrics. Its loops are run by the caller."""
        return Starlette(routes=self._health())

    def _health(self) -> list[Route]:
        health = Health(self.database, self.replica, self.metrics.registry, self.refresh_metrics, self.health.notes)
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
            verified_by=self.conditions.verified,
        )
        return [Route("/approval/eligibility", endpoint.__call__, methods=["POST"])]
