"""The hub's database in simulated time: SQLite in memory, used in the caller's own turn. It outlives the processes that use it."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import StaticPool

from hub.mirror.database import Database, DatabaseUnavailable
from hub.simulation.mortality import Dead, Mortality

P = ParamSpec("P")
T = TypeVar("T")


class Disk:
    """What stays when a process dies: whatever was committed, and nothing else."""

    def __init__(self) -> None:
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        event.listen(self.engine, "connect", self._prepare)
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        self.connection = self.engine.connect()

    def copy_of(self, other: "Disk") -> None:
        """Hold what another disk holds, and nothing else. What was learned of statements stays: a disk is used again and again."""
        self.connection.close()
        self.engine.dispose()
        self.connection = self.engine.connect()
        other._driver.backup(self._driver)

    def written(self) -> int:
        """Return how many rows were ever written."""
        return int(self._driver.total_changes)

    def _prepare(self, connection: Any, _record: Any) -> None:
        self._driver = connection
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.execute("PRAGMA foreign_keys=ON")

    def close(self) -> None:
        """Lose everything."""
        self.connection.close()
        self.engine.dispose()


class SimulatedDatabase(Database):
    """What one process sees of the disk. A dead process reads and writes nothing; a living one may die before or after a commit."""

    def __init__(
        self,
        disk: Disk,
        mortality: Mortality,
        *,
        shared: bool,
        wrote: Callable[[str], None] = lambda work: None,
        refuses: Callable[[], bool] = lambda: False,
    ) -> None:
        """`wrote` hears of each commit; `refuses` is asked whether a transaction fails, as one does on a full disk."""
        self._disk = disk
        self._refuses = refuses
        self._mortality = mortality
        self._wrote = wrote
        self.shared = shared

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a transaction; raise DatabaseUnavailable where the process dies before it, or behind its commit."""
        self._live("before a commit")
        self._may_refuse()
        with self._disk.connection.begin():
            done = work(self._disk.connection, *args, **kwargs)
        self._wrote(getattr(work, "__qualname__", type(work).__name__))
        self._live("behind a commit")
        return done

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work`; raise DatabaseUnavailable in a dead process."""
        if self._mortality.dead:
            raise DatabaseUnavailable("the process is dead")
        self._may_refuse()
        with self._disk.connection.begin():
            return work(self._disk.connection, *args, **kwargs)

    def _may_refuse(self) -> None:
        if self._refuses():
            raise DatabaseUnavailable("locked, full or gone for now")

    def _live(self, where: str) -> None:
        try:
            self._mortality.pass_by(where)
        except Dead as error:
            raise DatabaseUnavailable(str(error)) from error

    async def close(self) -> None:
        """Let the disk be: it is not this process's."""
