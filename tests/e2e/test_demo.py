"""`bihuan demo` as a new user runs it: as a command, in a process of its own, with real platforms in another."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path

import httpx


async def bihuan(*arguments: str) -> tuple[int, str, str]:
    """Run the command to its end; return exit code, output and error output."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.cli", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode or 0, out.decode(), err.decode()


async def test_the_check_closes_under_faults_and_the_platforms_confirm_it(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    city = ["--approvals", "6", "--breaches", "6", "--seed", "14"]
    code, out, err = await bihuan("demo", "--check", *city, "--port", "0", "--json", str(told))
    assert code == 0, out + err
    figures = json.loads(told.read_text())
    assert figures["approvals"] == figures["tasks"] == 6
    assert figures["breaches"] == figures["records"]
    assert (figures["open"], figures["stuck"]) == (0, 0)
    assert figures["lists"] == figures["check"]["records_taking_points"] > 0
    assert figures["messages"] == figures["check"]["messages_owed"] > 0
    assert figures["reports"] > 0
    assert figures["check"]["problems"] == []


async def test_a_check_that_runs_out_of_time_names_what_is_open(tmp_path: Path) -> None:
    code, out, _ = await bihuan("demo", "--check", "--approvals", "40", "--port", "0", "--timeout", "4")
    assert code == 2
    assert "open: approval-verification:" in out
    assert "not finished after" in out


async def test_a_city_without_approvals_is_an_error() -> None:
    code, _, err = await bihuan("demo", "--check", "--approvals", "0")
    assert code == 2
    assert "--approvals 0" in err


async def test_ctrl_c_ends_cleanly_and_a_second_start_goes_on_with_the_same_data(tmp_path: Path) -> None:
    first = await _watched(tmp_path, approvals=3)
    second = await _watched(tmp_path, approvals=3)
    assert first <= second, "what the first start had seen is there at the second"


async def _watched(folder: Path, approvals: int) -> set[str]:
    """Start the demo, wait until the graph knows all approvals, end it as Ctrl-C does; return their numbers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hub.cli", "demo", "--port", "0", "--approvals", str(approvals), "--data", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    graph = ""
    while not graph:
        line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        assert line, "the demo ended before it printed the graph's address"
        graph = line.strip() if re.fullmatch(r"http://127\.0\.0\.1:\d+/graphql\n", line) else ""
    seen: set[str] = set()
    async with asyncio.timeout(60), httpx.AsyncClient(trust_env=False) as client:
        query = "{ approvals(first: 100, where: {state: {eq: GRANTED}}) { edges { node { approvalNo tasks { totalCount } } } } }"
        while len(seen) < approvals:
            answer = (await client.post(graph, json={"query": query})).json()
            nodes = [edge["node"] for edge in answer["data"]["approvals"]["edges"]]
            seen = {node["approvalNo"] for node in nodes if node["tasks"]["totalCount"] == 1}
            await asyncio.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, err.decode()
    assert "Traceback" not in out.decode() + err.decode()
    return seen
