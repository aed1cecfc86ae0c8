"""Programs from npm that tests and benches run: each folder beside this has its package.json and its scripts."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "node"
PATIENCE = 300


class CannotInstall(Exception):
    """What a folder needs is not to be had here; the message says why."""


def fetched(topic: str) -> Path:
    """Return a folder with a topic's scripts and its packages, fetched once a version; raise CannotInstall where npm cannot."""
    if shutil.which("npm") is None:
        raise CannotInstall("npm is not installed")
    source = HERE / topic
    wanted = (source / "package.json").read_bytes()
    folder = CACHE / f"{topic}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "complete").exists():
            _install(source, folder)
        for script in source.glob("*.mjs"):
            shutil.copy(script, folder)
    return folder


def installed(topic: str) -> Path:
    """Return the same for a test, which is skipped where npm cannot."""
    try:
        return fetched(topic)
    except CannotInstall as error:
        pytest.skip(str(error))


def _install(source: Path, folder: Path) -> None:
    shutil.copy(source / "package.json", folder)
    command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"npm did not install what {source.name} needs within {PATIENCE} s") from error
    if done.returncode:
        raise CannotInstall(f"npm cannot install what {source.name} needs: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "complete").touch()


def newer_node() -> str:
    """Return the program `node` that benches use, one version for all: from npm, where it has one for this machine, else ours."""
    for found in (fetched("runtime") / "node_modules").glob("node-*/bin/node"):
        return str(found)
    own = shutil.which("node")
    if own is None:
        raise CannotInstall("there is no node here, and npm has none for this machine")
    return own


def node(folder: Path, script: str, *arguments: str) -> str:
    """Return what a script prints; raise AssertionError with what it said where it fails."""
    done = subprocess.run(
        ["node", script, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
