"""What was said between us and a platform, as text that is kept beside an attempt; http.py and selfgov_database.py tell it here.

Never kept are headers that are not named here, fields that sign or open something, and any secret of the settings, wherever it
stands. Personal numbers are left in: whoever keeps it seals it, and whoever shows it masks it (schema/entities/obligation.py).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

import httpx
import msgspec
from pydantic import BaseModel, SecretStr
from sqlalchemy import Connection, event

from schema.entities import Exchange

KEPT_BYTES: Final = 8_192
"""Of each body, and of each row."""
HEADERS: Final = frozenset(
    {"content-type", "date", "etag", "idempotency-key", "if-match", "if-none-match", "location", "retry-after", "x-ratelimit-reset"}
)
"""Those that matter to whoever asks why a call ended as it did; others may sign it."""
_NAMES: Final = r"[\w-]*(?:sign|signature|password|passwd|secret|token|authorization)"
_WITHHELD: Final = "…"
_IN_JSON: Final = re.compile(rf'("{_NAMES}"\s*:\s*")(?:\\.|[^"\\])*', re.IGNORECASE)
_IN_XML: Final = re.compile(rf"(<(?:\w+:)?{_NAMES}(?:\s[^>]*)?>)(?:<!\[CDATA\[.*?(?:\]\]>|\Z)|[^<]*)", re.IGNORECASE | re.DOTALL)
_IN_QUERY: Final = re.compile(rf"((?:^|[?&]){_NAMES}=)[^&\s]*", re.IGNORECASE | re.MULTILINE)
"""Values of JSON, of XML and of queries whose name says that they sign or open something; also where the text was cut off."""
_CATALOGUES: Final = ("pg_catalog", "information_schema")
_UNFINISHED: Final = re.compile(r"[\s0-9０-９Xx()（）+＋－-]+\Z")
_GB: Final = re.compile(rb"gb18030|gbk|gb2312", re.IGNORECASE)


class Telling:
    """Tells exchanges with one platform; knows the secrets of its settings, to leave them out."""

    def __init__(self, settings: BaseModel) -> None:
        self._secrets = tuple(sorted(secret_texts(settings), key=len, reverse=True))

    def exchange(
        self,
        operation: str,
        request: httpx.Request,
        answer: httpx.Response | None,
        *,
        sent_at: datetime,
        answered_at: datetime | None,
        outcome: str,
    ) -> Exchange:
        """Return an exchange as it is kept; also of a call that was cut off, or that is not known to have left."""
        return Exchange(
            operation=operation,
            sent_at=sent_at,
            answered_at=answered_at,
            outcome=outcome,
            request=self.request(request),
            answer=None if answer is None else self.answer(answer),
        )

    def request(self, request: httpx.Request) -> str:
        """Return method, path and query, headers and body as they were sent, the query decoded."""
        target = unquote(request.url.raw_path.decode("ascii"), errors="replace")
        return self._message(f"{request.method} {target}", request.headers, request.content)

    def answer(self, response: httpx.Response) -> str:
        """Return status, headers and body as they came."""
        return self._message(f"{response.status_code} {response.reason_phrase}".rstrip(), response.headers, response.content)

    def body(self, body: bytes) -> str:
        """Return a body as text, cut off behind `KEPT_BYTES`, but never within a number: no mask would know a half one."""
        text = self.text(readable(body[:KEPT_BYTES]))
        if len(body) <= KEPT_BYTES:
            return text
        return f"{_UNFINISHED.sub('', text.rstrip(chr(0xFFFD)))}\n… ({len(body):,} bytes in all)"

    def text(self, text: str) -> str:
        """Return a text without what signs or opens anything."""
        for pattern in (_IN_JSON, _IN_XML, _IN_QUERY):
            text = pattern.sub(rf"\g<1>{_WITHHELD}", text)
        for secret in self._secrets:
            text = text.replace(secret, _WITHHELD)
        return text

    def _message(self, first: str, headers: httpx.Headers, body: bytes) -> str:
        head = [f"{name}: {value}" for name, value in headers.items() if name in HEADERS]
        return self.text("\n".join((first, *head))) + (f"\n\n{self.body(body)}" if body else "")


class Statements:
    """What one transaction does: each statement with the row that it names, and how many rows a write met.

    Filled in the thread of the transaction, and read by whoever waits for it, also while it is under way.
    """

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self.lines: list[str] = []
        self.met: list[str] = []

    def watch(self, connection: Connection) -> Connection:
        """Note all that this connection executes from now on; return it."""
        event.listen(connection, "before_cursor_execute", self._begun)
        event.listen(connection, "after_cursor_execute", self._done)
        return connection

    def _begun(self, _connection: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if context.compiled is None or any(name in statement for name in _CATALOGUES):
            return  # it looks at the tables' form
        rows: Sequence[Mapping[str, object]] = context.compiled_parameters or ({},)
        for row in rows:
            values = msgspec.json.format(msgspec.json.encode(row, enc_hook=str), indent=2) if row else b""
            self.lines.append("\n".join(filter(None, (" ".join(statement.split()), self._telling.body(values)))))

    def _done(self, _connection: Any, cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        if context.isinsert or context.isupdate or context.isdelete:
            self.met.append(f"{statement.split(maxsplit=1)[0]}: rows {cursor.rowcount}")


def readable(body: bytes) -> str:
    """Return a body as text: one that declares GBK or a kin of it is GB18030, every other UTF-8."""
    return body.decode("gb18030" if _GB.search(body[:200]) else "utf-8", "replace")


def secret_texts(settings: BaseModel) -> Iterator[str]:
    """Yield every secret that settings hold, single ones and lists of them."""
    for value in dict(settings).values():
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, SecretStr) and each.get_secret_value():
                yield each.get_secret_value()
