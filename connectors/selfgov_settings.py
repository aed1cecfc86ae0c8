"""What the self-governance connector can be told (HUB_SELFGOV_<FIELD>)."""

from datetime import timedelta
from pathlib import PurePath

from pydantic import Field, field_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors.base import PlatformSettings

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg", "mysql": "mysql+aiomysql", "mariadb": "mysql+aiomysql"}


class SelfgovSettings(PlatformSettings):
    """Settings of the self-governance system's exchange database. Its address holds a password, and so is shown nowhere."""

    url: str = Field(
        pattern=r"^(sqlite(\+\w+)?:///[^\s?][^?]*(\?\S*)?|(postgresql|mysql|mariadb)(\+\w+)?://\S+)$",
        repr=False,
        description="Exchange database: postgresql://user:password@host/name, mysql://user:password@host/name or sqlite:///path; "
        "another driver's name (postgresql+psycopg) and ?options may stand in it",
    )
    max_in_flight: int = Field(4, gt=0, description="Calls under way at once from one process, and so its connections")
    page_size: int = Field(500, gt=0, description="Rows that are asked for in one page")
    settling_seconds: float = Field(
        300.0,
        ge=60,
        description="Seconds by which reading stays behind: rows appear up to 60 s late, the rest is for clocks that are set back",
    )
    notice_settling_seconds: float = Field(
        604_800.0, ge=60, description="The same for notices, which can be written long after they were issued"
    )

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            raise ValueError("is no SQLAlchemy URL; write special characters of user and password as %40 and the like") from None
        if parsed.get_backend_name() == "sqlite" and PurePath(parsed.database or "").name in {"", ":memory:"}:
            raise ValueError("names no file; nobody shares a database in memory")
        return url

    @property
    def database(self) -> URL:
        """Return the address with the driver that we use, whichever it names, and what that driver is told there."""
        parsed = make_url(self.url)
        backend, query = parsed.get_backend_name(), dict(parsed.query)
        if backend == "sqlite":
            query = {}  # how the file is opened is ours to say
        elif backend == "postgresql" and "sslmode" in query:
            query["ssl"] = query.pop("sslmode")  # the same values under another name
        return parsed.set(drivername=_DRIVERS[backend], query=query)

    @property
    def settling(self) -> timedelta:
        """Return how late a row may still appear behind its time."""
        return timedelta(seconds=self.settling_seconds)

    @property
    def notice_settling(self) -> timedelta:
        """Return the same for notices."""
        return timedelta(seconds=self.notice_settling_seconds)
