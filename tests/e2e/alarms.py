"""What mocks can make go wrong, and what must be told of it: the table of docs/alerts.md, played in rounds on a simulated clock.

In a round each platform has one fault at most; the city goes on living meanwhile.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from hub.simulation.stage import Stage
from tests.e2e.city_life import BROKEN_PROMISE

PACE = {
    "IDLE_SECONDS": "5",
    "WAITING_SECONDS": "10",
    "RESCUE_SECONDS": "5",
    "SEAL_SECONDS": "1",
    "ECHO_SECONDS": "60",
    "STALE_SECONDS": "300",
    "ALERT_SECONDS": "15",
    "SWEEP_SECONDS": "600",
    "FULL_SWEEP_SECONDS": "3600",
    "SCORE_SECONDS": "900",
    "SCORE_PATIENCE_SECONDS": "600",
    "DRIFT_SECONDS": "0",
}
"""The hub's own times, or nearly."""
POLL_SECONDS = 5.0
WITHIN = 60.0
"""Simulated seconds within which an alert must come."""
LATEST = 900.0
"""Simulated seconds within which it must clear."""
NOTHING = "heals silently"

Act = Callable[[Stage], Coroutine[Any, Any, None] | None]


@dataclass(frozen=True)
class Fault:
    """What goes wrong on a platform, how it begins and ends, and the alert that tells it; None: it heals silently."""

    what: str
    platform: str
    alert: str | None
    begin: Act
    end: Act = lambda stage: None

    @property
    def row(self) -> str:
        """Return its row in docs/alerts.md."""
        told = NOTHING if self.alert is None else f"[{self.alert}](runbooks/{self.alert}.md)"
        return f"| {self.what} | {self.platform} | {told} |"


def knobs(what: str, platform: str, alert: str | None, **faults: float | bool) -> Fault:
    """Return a fault that is made by turning the mock's own knobs (mocks/faults.py)."""

    def set_to(values: dict[str, float | bool], stage: Stage) -> None:
        one = getattr(stage.platforms, platform)
        one.faults = one.faults.changed(values)

    off = {name: (False if isinstance(value, bool) else 60.0 if name == "hang_seconds" else 0.0) for name, value in faults.items()}
    return Fault(what, platform, alert, lambda stage: set_to(dict(faults), stage), lambda stage: set_to(off, stage))


CONTRADICTED = 8


def contradict(stage: Stage) -> None:
    """Let the approval system say something else of records under the versions that it told before."""
    approval = stage.platforms.approval
    for serial in list(approval.store.all("record"))[:CONTRADICTED]:
        approval.contradict(serial, {"SQRMC": "别的名字"})


def correct(stage: Stage) -> None:
    """Let it say so under new versions."""
    approval = stage.platforms.approval
    for serial in list(approval.store.all("record"))[:CONTRADICTED]:
        approval.change(serial, {"SQRMC": "又一个名字"})


STUCK = """{ obligations(first: 200, where: {state: {eq: STUCK}}) { edges { node { key } } } }"""
RETRY = """mutation ($keys: [String!]!) { retryObligations(input: {keys: $keys, reason: "the secret is right again"}) {
  userErrors { message } } }"""


class OtherSecrets:
    """Lets the enforcement platform take other secrets than ours in calls, and then ours again."""

    def __init__(self) -> None:
        self.before: tuple[str, ...] = ()

    def begin(self, stage: Stage) -> None:
        """Take another."""
        self.before = stage.platforms.enforcement.secrets
        stage.platforms.enforcement.set_secrets(secrets=["another secret than ours"])

    async def end(self, stage: Stage) -> None:
        """Take ours; an operator then has what was refused meanwhile tried again, as docs/runbooks/BihuanStuck.md says."""
        stage.platforms.enforcement.set_secrets(secrets=self.before)
        refused = (await stage.ask(STUCK))["obligations"]["edges"]
        assert refused, "nothing was refused: nothing was shown"
        told = await stage.ask(RETRY, keys=[each["node"]["key"] for each in refused])
        assert told["retryObligations"]["userErrors"] == []


OTHER_SECRETS = OtherSecrets()


async def away(stage: Stage) -> None:
    """Take the exchange database away for two minutes."""
    await stage.platforms.selfgov.away(120.0)


async def locked(stage: Stage) -> None:
    """Lock the exchange database for three seconds."""
    await stage.platforms.selfgov.lock(3.0)


def no_tokens(stage: Stage) -> None:
    """Let the credit platform forget the tokens that it gave us."""
    stage.platforms.credit.revoke_tokens()


def break_promises(stage: Stage, most: int = 6) -> None:
    """Let checks end with promises that were not kept, so that subjects are told of points by short message."""
    enforcement = stage.platforms.enforcement
    begun = [
        task_id
        for task_id, task in enforcement.store.all("task").items()
        if task["status"] == "DISPATCHED"
        and enforcement.tasks.subjects(task_id)[0].get("code")  # what is owed for one without a code waits for it
    ]
    assert begun, "no check was begun: nobody would be told"
    for task_id in begun[:most]:
        enforcement.finish(task_id, BROKEN_PROMISE)


def gateway_is(down: bool, stage: Stage) -> None:
    """Take the gateway down, with messages to be sent; or bring it back."""
    sms = stage.platforms.sms
    sms.faults = sms.faults.changed({"outage": down})
    if down:
        break_promises(stage)


ROUNDS: tuple[tuple[Fault, ...], ...] = (
    (
        knobs("`outage`: every call fails, no callback leaves", "approval", "BihuanBreakerOpen", outage=True),
        knobs("`clock_skew_seconds` 400: its clock is ahead", "credit", "BihuanClockSkew", clock_skew_seconds=400.0),
        knobs("`callbacks_lost` 0.5", "grid", None, callbacks_lost=0.5),
        knobs(
            "`latency_seconds` 15: every answer comes behind the deadline", "enforcement", "BihuanBreakerOpen", latency_seconds=15.0
        ),
        Fault("`away`: the exchange database is gone", "selfgov", "BihuanBreakerOpen", away),
    ),
    (
        knobs("`callbacks_off`: nothing is told any more", "approval", "BihuanWebhooksMissing", callbacks_off=True),
        knobs("`error_rate` 1: every call fails, nothing is done", "credit", "BihuanBreakerOpen", error_rate=1.0),
        knobs("`outage`: every call fails, no callback leaves", "grid", "BihuanBreakerOpen", outage=True),
        Fault(
            "`set_secrets`: it takes our secret no more",
            "enforcement",
            "BihuanSyncFailing",
            OTHER_SECRETS.begin,
            OTHER_SECRETS.end,
        ),
        Fault("`lock`: the exchange database is locked for seconds", "selfgov", None, locked),
    ),
    (
        knobs("`callbacks_doubled` 1, `callbacks_shuffled` 20", "approval", None, callbacks_doubled=1.0, callbacks_shuffled=20.0),
        Fault("`revoke_tokens`: our tokens are taken from us", "credit", None, no_tokens),
        knobs("`clock_skew_seconds` -400: its clock is behind", "grid", "BihuanClockSkew", clock_skew_seconds=-400.0),
        knobs(
            "`timeout_after_work` 1, `hang_seconds` 60: creations are done and never answered",
            "enforcement",
            None,
            timeout_after_work=1.0,
            hang_seconds=60.0,
        ),
    ),
    (
        Fault(
            "`contradict`: eight records are told otherwise under one version",
            "approval",
            "BihuanQuarantineGrowing",
            contradict,
            correct,
        ),
        knobs("`error_rate` 0.2: now and then a call fails", "credit", None, error_rate=0.2),
        knobs("`latency_seconds` 1: slow, within the deadline", "grid", None, latency_seconds=1.0),
        knobs("`callbacks_off`: nothing is told any more", "enforcement", None, callbacks_off=True),
    ),
    (
        Fault(
            "`outage`: every call fails, while messages are owed",
            "sms",
            "BihuanBreakerOpen",
            partial(gateway_is, True),
            partial(gateway_is, False),
        ),
    ),
)


async def live(stage: Stage) -> None:
    """Let a small city live until cancelled: an approval and a grid event every few seconds, officers who go."""
    approval, grid, enforcement = stage.platforms.approval, stage.platforms.grid, stage.platforms.enforcement
    for number in itertools.count():
        approval.grant(procedure="1")
        if number % 3 == 0:
            grid.report(category="JT-03", title="绿化遮挡视线", town="佛堂镇", send=True)
        for task_id, task in list(enforcement.store.all("task").items())[-3:]:
            if task["status"] == "PENDING":
                enforcement.dispatch(task_id)
        await asyncio.sleep(7.0)


async def standing(stage: Stage) -> set[tuple[str, str | None]]:
    """Return which alerts stand now, and of which platform."""
    return {(alert.name, alert.platform) for alert in await stage.hub.operator.alerts()}
