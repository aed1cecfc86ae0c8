"""Programs from npm that tests run against the hub: each folder beside this has its package.json and its scripts."""

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


def installed(topic: str) -> Path:
    """Return a folder with a topic's scripts and its packages, fetched once a version; skip the test where npm cannot."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
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


def _install(source: Path, folder: Path) -> None:
    shutil.copy(source / "package.json", folder)
    command = ["npm", "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install what {source.name} needs: {done.stderr.strip().splitlines()[-1:]}")
    (folder / "complete").touch()


def node(folder: Path, script: str, *arguments: str) -> str:
    """Return what a script prints; raise AssertionError with what it said where it fails."""
    done = subprocess.run(
        ["node", script, *arguments], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
