"""What an error of a database driver means for the call that met it (SQLite, PostgreSQL, MySQL). No driver is imported here."""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from connectors.selfgov_tables import MisfitError
from schema.identifiers import redact


class Kind(Enum):
    """What the error says of the call."""

    DOWN = "no connection, or it was lost: a transaction whose commit had begun may have been carried out"
    HELD = "somebody else holds a lock, or was in the way: nothing was carried out, soon it may be"
    MISFIT = "address, password, rights or tables are not as they must be: nothing was carried out before somebody mends that"
    REFUSED = "the database takes no such row: nothing was carried out, and the same will be refused again"


class Trouble(NamedTuple):
    """An error in our words: code, what the database said with its cure, and the kind."""

    kind: Kind
    code: str
    says: str


ADDRESS: Final = "is HUB_SELFGOV_URL right?"
CURES: Final = {
    "ACCESS_DENIED": "correct user and password in HUB_SELFGOV_URL",
    "NO_SUCH_DATABASE": "HUB_SELFGOV_URL must name the exchange database of the self-governance system",
    "NO_SUCH_TABLE": "the system makes its tables itself: does HUB_SELFGOV_URL name the exchange database, and was it set up?",
    "NO_SUCH_COLUMN": "does HUB_SELFGOV_URL name the exchange database? Its tables are not as selfgov.md has them",
    "NO_RIGHTS": "grant the user in HUB_SELFGOV_URL SELECT on the three tables, INSERT and UPDATE on zz_score, "
    "INSERT on zz_notice, UPDATE of clbz and clsm on zz_result",
    "READ_ONLY": "HUB_SELFGOV_URL must name the primary, which takes writes",
    "NO_DRIVER": "install the extra: bihuan[mysql]",
}

_SQLSTATES: Final = {
    "28P01": "ACCESS_DENIED",
    "28000": "ACCESS_DENIED",
    "3D000": "NO_SUCH_DATABASE",
    "42P01": "NO_SUCH_TABLE",
    "42703": "NO_SUCH_COLUMN",
    "42501": "NO_RIGHTS",
    "25006": "READ_ONLY",
}
_HELD_STATES: Final = {"40001", "40P01", "55P03"}
_DOWN_CLASSES: Final = {"08", "53", "57", "58", "XX"}
"""SQLSTATE classes of PostgreSQL: connection, resources, operator intervention, system, internal."""

_MYSQL: Final = {
    1044: "ACCESS_DENIED",
    1045: "ACCESS_DENIED",
    1698: "ACCESS_DENIED",
    1049: "NO_SUCH_DATABASE",
    1146: "NO_SUCH_TABLE",
    1054: "NO_SUCH_COLUMN",
    1142: "NO_RIGHTS",
    1143: "NO_RIGHTS",
    1290: "READ_ONLY",
    1836: "READ_ONLY",
}
_MYSQL_HELD: Final = {1205, 1213}

_SQLITE_HELD: Final = {"BUSY", "LOCKED"}
_SQLITE_SAYS: Final = {
    "not a database": "NO_SUCH_DATABASE",
    "no such table": "NO_SUCH_TABLE",
    "no such column": "NO_SUCH_COLUMN",
    "has no column": "NO_SUCH_COLUMN",
}


def trouble_of(error: Exception) -> Trouble | None:
    """Return what an error means; None for one that no database made."""
    if isinstance(error, MisfitError):
        return _misfit("NO_SUCH_COLUMN" if "column" in str(error) else "NO_SUCH_TABLE", str(error))
    if isinstance(error, ModuleNotFoundError):
        return _misfit("NO_DRIVER", f"the driver {error.name} is not installed")
    return _said_by_driver(error)


def _said_by_driver(error: Exception) -> Trouble | None:
    driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = redact(" ".join(str(driver).split()))[:300] or type(driver).__name__
    if (code := _misfit_code(driver)) is not None:
        return _misfit(code, said)
    if _is_held(driver):
        return Trouble(Kind.HELD, "LOCKED", f"somebody else holds a lock there ({said})")
    if isinstance(error, OSError | TimeoutError | PoolTimeoutError) or _is_down(error, driver):
        return Trouble(Kind.DOWN, "UNREACHABLE", f"the exchange database cannot be reached ({said}); {ADDRESS}")
    if isinstance(error, IntegrityError):
        return Trouble(Kind.REFUSED, "CONSTRAINT", f"the exchange database refuses the row ({said})")
    return Trouble(Kind.REFUSED, "REFUSED", f"the exchange database refuses ({said})") if isinstance(error, DBAPIError) else None


def _misfit(code: str, said: str) -> Trouble:
    return Trouble(Kind.MISFIT, code, f"{said}; {CURES[code]}")


def _misfit_code(driver: BaseException) -> str | None:
    number = _mysql_number(driver)
    if (code := _SQLSTATES.get(_sqlstate(driver))) or (code := _MYSQL.get(number)):
        return code
    if _sqlite_name(driver) == "READONLY":
        return "READ_ONLY"
    return next((code for words, code in _SQLITE_SAYS.items() if _sqlite_name(driver) and words in str(driver)), None)


def _is_held(driver: BaseException) -> bool:
    return _sqlstate(driver) in _HELD_STATES or _mysql_number(driver) in _MYSQL_HELD or _sqlite_name(driver) in _SQLITE_HELD


def _is_down(error: Exception, driver: BaseException) -> bool:
    if isinstance(error, IntegrityError):
        return False
    if _sqlstate(driver):
        return _sqlstate(driver)[:2] in _DOWN_CLASSES
    if any(isinstance(cause, OSError | TimeoutError) for cause in _causes(error)):
        return True
    return isinstance(error, OperationalError | InterfaceError) or (isinstance(error, DBAPIError) and error.connection_invalidated)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _sqlstate(driver: BaseException) -> str:
    return str(getattr(driver, "sqlstate", None) or "")


def _sqlite_name(driver: BaseException) -> str:
    return str(getattr(driver, "sqlite_errorname", None) or "").removeprefix("SQLITE_").split("_")[0]


def _mysql_number(driver: BaseException) -> int:
    number = driver.args[0] if driver.args else None
    return number if isinstance(number, int) and not isinstance(driver, OSError) else 0
