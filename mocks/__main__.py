"""`python -m mocks [--config FILE] [--ready-json] [--city]`: the mock platforms, until Ctrl-C, and the city on them.

Without `--city`, or with `--city-waits`, a city begins when `POST /_city/start` asks for one; `GET /_city/progress` says how far
it is. Both are on the approval platform's port, for this machine only.
"""

import argparse
import asyncio
import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mocks.city import City
from mocks.city_control import CityHall, CityOrder
from mocks.config import AllSettings, ConfigError, built_platforms, complete_settings, read_config
from mocks.server import serve

# What a caller of a platform needs to know of its settings.
_ACCESS = (
    "app_key",
    "app_secrets",
    "client_id",
    "client_secret",
    "exchange_key",
    "webhook_secrets",
    "user",
    "password",
    "access_key",
    "secrets",
    "callback_user",
    "callback_password",
    "callback_access_key",
    "callback_secrets",
    "database_url",
    "account",
)


def main(arguments: list[str] | None = None) -> int:
    """Run the platforms; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mocks", description="The mock platforms, and a city that lives on them.")
    parser.add_argument("--config", type=Path, help="JSON file; everything in it is optional")
    parser.add_argument("--ready-json", action="store_true", help="print one line of JSON with the addresses, nothing else")
    parser.add_argument("--city", action="store_true", help="let a city live on the platforms")
    parser.add_argument("--city-waits", action="store_true", help="begin the city only at POST /_city/start on the approval port")
    parser.add_argument("--approvals", type=_count, default=100, metavar="N", help="approvals that the city grants (100)")
    parser.add_argument("--breaches", type=_count, default=0, metavar="N", help="breaches that are loaded first (0)")
    parser.add_argument("--seed", type=int, help="what the city's choices hang on (the configuration's seed)")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one is gone")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config)
        settings = complete_settings(config)
        seed = config.seed if options.seed is None else options.seed
        order = CityOrder(approvals=options.approvals, seed=seed, breaches=options.breaches)
        begin = options.city and not options.city_waits
        asyncio.run(_run(settings, config.seed, order, begin=begin, ready_json=options.ready_json, with_parent=options.with_parent))
    except (ConfigError, OSError) as problem:
        sys.stderr.write(f"mocks: {problem}\n")
        return 2
    return 0


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return int(text)


async def _run(settings: AllSettings, seed: int, order: CityOrder, *, begin: bool, ready_json: bool, with_parent: bool) -> None:
    stopped = asyncio.Event()
    watching = asyncio.create_task(_orphaned(stopped)) if with_parent else None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    platforms = built_platforms(settings, clock=lambda: datetime.now(UTC), sleep=asyncio.sleep, seed=seed)

    def build(wanted: CityOrder) -> City:
        return City(platforms, seed=wanted.seed, approvals=wanted.approvals, breaches=wanted.breaches, sleep=asyncio.sleep)

    hall = CityHall(build, order)
    platforms.approval.app.router.routes[:0] = hall.routes()
    async with serve(platforms) as urls:
        if ready_json:
            ready = {name: {"url": url} for name, url in urls.items()}
            sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        else:
            sys.stdout.write(_described(settings, urls))
        sys.stdout.flush()
        if begin:
            hall.start()
        await stopped.wait()
        if watching is not None:
            watching.cancel()
        await hall.close()


async def _orphaned(stopped: asyncio.Event) -> None:
    """Stop when whoever started this process has gone without a word (SIGKILL): nobody else would."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110  (the system tells it in no other way)
        await asyncio.sleep(1)
    stopped.set()


def _described(settings: AllSettings, urls: dict[str, str]) -> str:
    lines = ["The mock platforms answer; Ctrl-C stops them. Callbacks go to the hub at the address of each."]
    for name, url in urls.items():
        lines.append(f"\n{name}  {url}   (control: {url}/_control/state)")
        own = msgspec.structs.asdict(getattr(settings, name))
        shown = {key: own[key] for key in (*_ACCESS, "hub_url") if own.get(key) is not None}
        lines += [f"  {key:20} {', '.join(value) if isinstance(value, tuple) else value}" for key, value in shown.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
