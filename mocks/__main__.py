"""`python -m mocks [--config FILE] [--ready-json]`: the four mock platforms alone, until Ctrl-C."""

import argparse
import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

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
)


def main(arguments: list[str] | None = None) -> int:
    """Run the platforms; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mocks", description=__doc__)
    parser.add_argument("--config", type=Path, help="JSON file; everything in it is optional")
    parser.add_argument("--ready-json", action="store_true", help="print one line of JSON with the addresses, nothing else")
    options = parser.parse_args(arguments)
    try:
        config = read_config(options.config)
        settings = complete_settings(config)
        asyncio.run(_run(settings, config.seed, ready_json=options.ready_json))
    except (ConfigError, OSError) as problem:
        sys.stderr.write(f"mocks: {problem}\n")
        return 2
    return 0


async def _run(settings: AllSettings, seed: int, *, ready_json: bool) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    platforms = built_platforms(settings, clock=lambda: datetime.now(UTC), sleep=asyncio.sleep, seed=seed)
    async with serve(platforms) as urls:
        if ready_json:
            ready = {name: {"url": url} for name, url in urls.items()}
            sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        else:
            sys.stdout.write(_described(settings, urls))
        sys.stdout.flush()
        await stopped.wait()


def _described(settings: AllSettings, urls: dict[str, str]) -> str:
    lines = ["The mock platforms answer; Ctrl-C stops them. Callbacks go to the hub at the address of each."]
    for name, url in urls.items():
        lines.append(f"\n{name}  {url}   (control: {url}/_control/state)")
        own = msgspec.structs.asdict(getattr(settings, name))
        shown = {key: own[key] for key in (*_ACCESS, "hub_url") if key in own}
        lines += [f"  {key:20} {', '.join(value) if isinstance(value, tuple) else value}" for key, value in shown.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
