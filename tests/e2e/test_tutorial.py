"""Every command of docs/tutorial.md, run as it stands there, in a folder where there is nothing."""

import re
import signal
import subprocess
from pathlib import Path

from tests.command_line import BIHUAN

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
PREFIX = "uv run bihuan "
NO_SETTINGS: dict[str, str] = {"LANG": "C.UTF-8"}
LONGEST = 600


def commands() -> list[str]:
    """Return the page's commands but the one that installs uv."""
    found: list[str] = re.findall(r"^    (.+)$", PAGE.read_text(), re.MULTILINE)
    assert found[0] == "pip install uv"
    assert all(each.startswith(PREFIX) for each in found[1:])
    return [each.removeprefix(PREFIX) for each in found[1:]]


def test_each_command_of_the_tutorial_does_what_the_page_says(tmp_path: Path) -> None:
    said = {
        "--version": (0, "bihuan 0."),
        "demo --case 1": (0, "9 of 9 expectations hold"),
        "demo --case 1 --check": (0, "9 of 9 expectations hold"),
        "demo": (0, "/graphql"),
        "doctor": (2, "problem settings: HUB_PII_KEYS: is missing"),
    }
    assert commands() == list(said)
    for command, (code, says) in said.items():
        told = city(tmp_path) if command == "demo" else run(command, tmp_path)
        assert told.returncode == code, f"{command}: {told.stdout}{told.stderr}"
        assert says in told.stdout + told.stderr, f"{command}: {told.stdout}{told.stderr}"


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIHUAN, *command.split()], cwd=folder, env=NO_SETTINGS, capture_output=True, text=True, timeout=LONGEST, check=False
    )


def city(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the city on a free port until it tells where the graph is; end it by Ctrl-C."""
    command = [str(BIHUAN), "demo", "--port", "0"]
    with subprocess.Popen(
        command, cwd=folder, env=NO_SETTINGS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        told = ""
        for line in running.stdout:
            told += line
            if line.startswith("curl "):
                break
        running.send_signal(signal.SIGINT)
        told += running.stdout.read()
    return subprocess.CompletedProcess(command, running.returncode, told, "")
