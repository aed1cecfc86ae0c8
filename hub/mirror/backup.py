"""Copies of the embedded database, made while the hub runs, and put back. Called by `bihuan db backup` and `bihuan db restore`.

A server's database is copied by the server's own tools; docs/backup.md has the commands.
"""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path


class BackupRefused(Exception):
    """Nothing was copied or replaced; the message says why and what to do."""


def back_up(source: Path, target: Path) -> int:
    """Write a consistent copy to a file that must not exist, durably; return its bytes. Writers go on meanwhile.

    Raises BackupRefused where the file exists, or the copy is not sound.
    """
    if not source.is_file():
        raise BackupRefused(f"{source}: there is no such file to copy")
    try:
        target.touch(exist_ok=False)
    except FileExistsError as error:
        raise BackupRefused(f"{target}: exists already; name a new file") from error
    part = target.with_name(f"{target.name}.part")
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(part)) as copy:
            live.backup(copy)  # in one go: a snapshot, as a reader has it
            copy.execute("PRAGMA journal_mode=DELETE")  # so that the copy is one file
            _check(copy, target)
        _replace(part, target)
    except BaseException as error:
        part.unlink(missing_ok=True)
        target.unlink()
        if isinstance(error, sqlite3.DatabaseError):
            raise BackupRefused(f"{source}: cannot be copied: {error}") from error
        raise
    return target.stat().st_size


def restore(backup: Path, database: Path, aside: Path) -> None:
    """Put a backup in the place of a database, which goes aside; raise BackupRefused while a process has it open."""
    if aside.exists():
        raise BackupRefused(f"{aside}: exists already; move it away first")
    part = database.with_name(f"{database.name}.part")
    shutil.copyfile(backup, part)
    try:
        with closing(sqlite3.connect(part)) as copy:
            _check(copy, backup)
        if database.exists():
            _close_off(database)
    except (BackupRefused, sqlite3.DatabaseError) as error:
        part.unlink()
        raise (
            error if isinstance(error, BackupRefused) else BackupRefused(f"{backup}: no database that can be read: {error}")
        ) from error
    for ending in ("", "-wal", "-shm"):  # a log that is left behind would be played into the restored file
        if (old := database.with_name(database.name + ending)).exists():
            old.rename(aside.with_name(aside.name + ending))
    _replace(part, database)


def _check(connection: sqlite3.Connection, file: Path) -> None:
    problems = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    if problems != ["ok"]:
        raise BackupRefused(f"{file}: not sound: {problems[0]}; take another backup")


def _close_off(database: Path) -> None:
    """Write what is in the log into the file; SQLite refuses that while another process has the database open."""
    try:
        with closing(sqlite3.connect(database, timeout=1)) as live:
            live.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise BackupRefused(f"{database}: a process has it open ({error}); stop the hub first") from error
    except sqlite3.DatabaseError:
        return  # it is damaged, which is why it is replaced; it goes aside as it is


def _replace(part: Path, target: Path) -> None:
    """Let a finished file take its place, durably."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
