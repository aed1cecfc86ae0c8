"""Errors of connectors, chosen by recovery: what the caller should do next decides the class."""

from datetime import datetime


class ConnectorError(Exception):
    """Something went wrong between us and a platform.

    `platform` names it, `code` is a short reason code for metrics and answers (upper case, `_`), the message is for people.
    """

    def __init__(self, platform: str, code: str, message: str) -> None:
        super().__init__(f"{platform}: {message}")
        self.platform = platform
        self.code = code


class TransientError(ConnectorError):
    """It was surely not carried out, and may work later: wait `retry_after` seconds (None: the caller's own backoff)."""

    def __init__(self, platform: str, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(platform, code, message)
        self.retry_after = retry_after


class PlatformDown(TransientError):
    """The circuit breaker is open: no call was made. The whole platform should be postponed."""


class UnknownOutcome(TransientError):
    """A write was sent and no usable answer came: it may have been carried out, now or later.

    `sent_at` is the moment it was sent. `retry_after` is how long to wait before `ensure` is called again; the connector
    knows what its platform allows (platforms/README.md: carried out or dropped 30 s after it was sent).
    """

    def __init__(self, platform: str, code: str, message: str, sent_at: datetime, retry_after: float | None = None) -> None:
        super().__init__(platform, code, message, retry_after)
        self.sent_at = sent_at


class PermanentError(ConnectorError):
    """The platform refuses, and will refuse the same again: a person has to look."""


class CursorExpired(ConnectorError):
    """The place to go on from is gone: start over from a snapshot, or from the last settled place."""


class BadSignature(ConnectorError):
    """A delivery that is not proven to come from its platform; `code` is the reason code. It is never stored as data."""
