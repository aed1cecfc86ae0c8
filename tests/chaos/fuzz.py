"""Bodies that nobody expects, validly signed or not: no 5xx, no crash, every refusal with a reason code, nothing kept unread.

Two drivers: Hypothesis changes real samples of all platforms and posts them through the whole web application; Atheris, where
it is installed, looks by coverage for bodies that the connectors stumble over (fuzz_parse.py, in a process of its own).
"""

import asyncio
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import Connection, select

from hub.mirror.tables import TABLES
from schema.entities import DeliveryState
from tests.chaos.bodies import Unexpected, unexpected
from tests.chaos.door import Door, open_door
from tests.chaos.shown import Form, Shown
from tests.e2e.signed import Webhook, receipt, signed, tampered

BODIES = {Form.SHORT: 400, Form.FULL: 100_000}
RUNS = {Form.SHORT: 3_000, Form.FULL: 1_000_000}
AT_ONCE, CHUNK = 20, 2_000
CODE = re.compile(r"[A-Z][A-Z0-9_]+")
ALWAYS = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


def show(form: Form) -> Shown:
    """Run both drivers."""
    losses, outcomes = asyncio.run(_posted(BODIES[form]))
    said = (
        f"{outcomes.pop('taken', 0):,} taken in and applied or quarantined, {sum(outcomes.values()):,} refused with a reason code"
    )
    if importlib.util.find_spec("atheris") is None:
        return Shown(f"{BODIES[form]:,} bodies; Atheris is not installed (uv sync --group fuzz) and left out", said, losses)
    return Shown(f"{BODIES[form]:,} bodies, and {RUNS[form]:,} by Atheris", said, losses + _by_coverage(RUNS[form]))


def bodies(count: int) -> Iterator[Unexpected]:
    """Yield so many unexpected bodies, the same each time."""
    chunk = 0
    while count > 0:
        made = _made(min(count, CHUNK), chunk)
        yield from made[:count]
        count, chunk = count - len(made), chunk + 1


def _made(count: int, first_seed: int) -> list[Unexpected]:
    made: list[Unexpected] = []

    @seed(first_seed)
    @settings(max_examples=count, deadline=None, database=None, phases=(Phase.generate,), suppress_health_check=ALWAYS)
    @given(unexpected())
    def make(one: Unexpected) -> None:
        made.append(one)

    make()
    return made


async def _posted(count: int) -> tuple[list[str], dict[str, int]]:
    losses, outcomes, coming = list[str](), dict[str, int](), enumerate(bodies(count))
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        async with open_door(Path(folder), WEBHOOK_SECONDS="3600") as door:  # bodies are made meanwhile

            async def client() -> None:
                for number, one in coming:
                    try:
                        answer = await door.post(webhook_of(door, one, number))
                    except Exception as error:
                        losses.append(f"{one}: {type(error).__name__}: {error}")
                        continue
                    code = _code(answer)
                    outcomes[code] = outcomes.get(code, 0) + 1
                    if answer.status_code >= 500 or not code:
                        losses.append(f"{one}: {answer.status_code} {answer.text[:200]}")

            await asyncio.gather(*(client() for _ in range(AT_ONCE)))
            await door.all_applied()
            losses += await _left(door)
    if not outcomes.get("taken") or len(outcomes) < 3:
        losses.append(f"the fuzz itself is at fault: it saw {outcomes} only")
    return losses, outcomes


def webhook_of(door: Door, one: Unexpected, number: int) -> Webhook:
    """Return a body as its platform would post it now, or as somebody who does not know the secret would."""
    if one.platform in {"approval", "credit", "enforcement", "grid"}:
        webhook = signed(door, one.platform, one.body, nonce=f"nonce-{number:08d}")
    elif one.platform == "sms":
        form = receipt(door, f"T{number}")
        webhook = form._replace(body=form.body + one.body[:200] if one.how == "signed" else one.body)
    else:
        webhook = Webhook(f"/webhooks/{one.platform}", {}, one.body)
    if one.how == "tampered" and one.platform in {"approval", "credit", "enforcement", "grid"}:
        return tampered(one.platform, webhook)
    return webhook._replace(headers={**webhook.headers, **one.headers}) if one.how == "headers" else webhook


def _code(answer: httpx.Response) -> str:
    """Return the reason code of a refusal, `taken` for an acknowledgement; empty where there is neither."""
    if answer.is_success:
        return "taken"
    try:
        told = answer.json()
    except ValueError:
        return ""
    code = told.get("code", "") if isinstance(told, dict) and told.get("message") else ""
    return code if CODE.fullmatch(code) else ""


async def _left(door: Door) -> list[str]:
    """Return what became of what was taken in, where that must not be."""
    states, reasons = await door.states(), await door.hub.database.read(_reasons)
    losses = [f"reason '{reason}' in the quarantine is no code" for reason in reasons if not CODE.fullmatch(reason)]
    if failed := states.get(DeliveryState.FAILED):
        losses += [f"{failed} deliveries could not be applied", *await door.hub.database.read(_failed, door)]
    if states.get(DeliveryState.PARTLY) and not reasons:
        losses.append("deliveries are applied partly, and nothing is in the quarantine")
    return losses


def _reasons(connection: Connection) -> list[str]:
    return list(connection.execute(select(TABLES["QuarantinedRecord"].c.reason).distinct()).scalars())


def _failed(connection: Connection, door: Door) -> list[str]:
    table = TABLES["Delivery"]
    found = connection.execute(select(table.c.platform, table.c.detail, table.c.body).where(table.c.state == "FAILED").limit(5))
    read = door.hub.rows.read
    return [
        f"{platform}: {read('Delivery', 'detail', detail)} for {read('Delivery', 'body', body)[:300]!r}"
        for platform, detail, body in found
    ]


def _by_coverage(runs: int) -> list[str]:
    """Let Atheris look for bodies that a connector raises on."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        command = [sys.executable, "-m", "tests.chaos.fuzz_parse", f"-runs={runs}", "-seed=7", f"-artifact_prefix={folder}/"]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        return [f"Atheris: exit code {done.returncode}: {done.stdout[-500:]} {done.stderr[-1500:]}"]
    return []
