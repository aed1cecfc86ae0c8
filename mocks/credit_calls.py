"""The calls that the hub makes on the credit platform: who is let in, what each call reads and answers (credit.md)."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mocks.credit_feed import Feed, TooOld
from mocks.credit_problems import Problem, answer, json_body, listing, retry_after, unprocessable, whole_number
from mocks.credit_records import (
    Unprocessable,
    check_cause,
    check_record,
    check_repair,
    check_repairable,
    check_subject,
    same_content,
)
from mocks.credit_register import KINDS, CreditRegister
from mocks.credit_tokens import Tokens
from mocks.platform import Platform
from mocks.quota import Quota
from mocks.store import Document

_SNAPSHOT_PAGE: Final = 1000


class CreditCalls(Platform):
    """The calling half of the credit platform; `CreditPlatform` (credit.py) fills in what it needs and makes things happen."""

    register: CreditRegister
    feed: Feed
    tokens: Tokens
    quota: Quota

    def tell(self, event: str, data: Document) -> None:
        """Send a webhook of that type."""
        raise NotImplementedError

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the page."""
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/v2/subjects", self._call("subjects", self._subjects)),
            Route("/v2/subjects/{code}", self._call("subject", self._subject)),
            Route("/v2/subjects/{code}", self._call("put_subject", self._put_subject, creates=True), methods=["PUT"]),
            Route("/v2/records", self._call("records", self._records)),
            Route("/v2/records", self._call("post_record", self._post_record, creates=True), methods=["POST"]),
            Route("/v2/records/{record_id}", self._call("record", self._record)),
            Route("/v2/records/{record_id}/cancel", self._call("cancel", self._cancel, creates=True), methods=["POST"]),
            Route("/v2/repairs", self._call("post_repair", self._post_repair, creates=True), methods=["POST"]),
            Route("/v2/changes", self._call("changes", self._changes)),
            Route("/v2/snapshot", self._call("snapshot", self._snapshot)),
            Route("/v2/digest", self._call("digest", self._digest)),
        ]

    def _call(self, operation: str, handler: Callable[[Request], Awaitable[Response]], *, creates: bool = False) -> Any:
        async def endpoint(request: Request) -> Response:
            self.count(f"calls.{operation}")
            try:
                self._let_in(request)
                answered = await handler(request)
            except Problem as problem:
                self.count(f"refused.{problem.status}")
                return problem.response()
            except Unprocessable as problem:
                self.count("refused.422")
                return Problem(422, str(problem), errors=problem.errors).response()
            return self.after_work(answered) if creates else answered

        return endpoint

    def _let_in(self, request: Request) -> None:
        authorization, now = request.headers.get("authorization", ""), self.now()
        if not authorization:
            raise Problem(401, "an access token is wanted", headers={"WWW-Authenticate": "Bearer"})
        if not self.tokens.valid(authorization, now):
            challenge = 'Bearer error="invalid_token"'
            raise Problem(401, "the access token is unknown, over or revoked", headers={"WWW-Authenticate": challenge})
        wait = self.quota.take(now)
        if wait:
            raise Problem(429, "more than 20 requests in a second", headers=retry_after(wait, now, self.rng))

    def broken(self) -> Response:
        """Return the 503 of a maintenance window."""
        return Problem(503, "maintenance window", headers=retry_after(2.0, self.now(), self.rng)).response()

    async def _token(self, request: Request) -> Response:
        self.count("calls.token")
        now = self.now()
        wait = self.tokens.wait(now)
        if wait:
            self.count("refused.429")
            return Problem(429, "more than 10 tokens asked for in a minute", headers=retry_after(wait, now, self.rng)).response()
        return self.tokens.answer(request.headers.get("content-type", ""), await request.body(), now)

    def _known(self, code: str) -> Document:
        subject = self.register.get("subject", code)
        if subject is None:
            raise Problem(404, f"no subject {code}")
        return subject

    async def _subjects(self, request: Request) -> Response:
        codes = list(dict.fromkeys(code for code in request.query_params.get("codes", "").split(",") if code))
        if not 1 <= len(codes) <= 50:
            raise unprocessable("codes", "NOT_FROM_1_TO_50")
        found = (self.register.get("subject", code) for code in codes)
        return answer({"items": [subject for subject in found if subject is not None]})

    async def _subject(self, request: Request) -> Response:
        return answer(self._known(request.path_params["code"]))

    async def _put_subject(self, request: Request) -> Response:
        content = check_subject(await json_body(request), request.path_params["code"])
        new = self.register.know(content)
        self.count("creations.subject" if new else "repeated.subject")
        return answer(self._known(content["code"]), 201 if new else 200)

    async def _records(self, request: Request) -> Response:
        query = request.query_params
        if query.get("bizNo"):
            record = self.register.by_biz_no("record", query["bizNo"])
            return listing([] if record is None else [record], None)
        limit = whole_number(request, "limit", 100, 1, 200)
        items = self.register.after("record", _opened(query.get("cursor")), limit + 1, query.get("code") or None)
        return listing(items[:limit], _closed(items[limit - 1]["recordId"]) if len(items) > limit else None)

    async def _record(self, request: Request) -> Response:
        return answer(self._known_record(request.path_params["record_id"]))

    def _known_record(self, record_id: str) -> Document:
        record = self.register.get("record", record_id)
        if record is None:
            raise Problem(404, f"no record {record_id}")
        return record

    async def _post_record(self, request: Request) -> Response:
        status, content = self.enter_record(check_record(await json_body(request)))
        return answer(content, status)

    def enter_record(self, content: Document) -> tuple[int, Document]:
        """Enter a checked record unless its bizNo came before; return status and answer; raise Problem or Unprocessable."""
        before = self.register.by_biz_no("record", content["bizNo"])
        if before is not None:
            self._same_or_conflict(content, before)
            subject = self.register.get("subject", before["code"])
            return 200, {"recordId": before["recordId"], "bizNo": content["bizNo"], "subject": subject, "repeated": True}
        self._known(content["code"])
        if content["causedBy"] is not None:
            check_cause(content, self.register.by_biz_no("record", content["causedBy"]))
        self.count("creations.record")
        record = self.register.add_record(content)
        return 201, {"recordId": record["recordId"], "bizNo": record["bizNo"], "subject": self._known(content["code"])}

    def _same_or_conflict(self, content: Document, before: Document) -> None:
        if not same_content(content, {field: before[field] for field in content}):
            raise Problem(409, f"bizNo {content['bizNo']} came before with other content")
        self.count("repeated.submission")

    async def _cancel(self, request: Request) -> Response:
        record = self._known_record(request.path_params["record_id"])
        body = await json_body(request)
        if not isinstance(body, dict) or not isinstance(body.get("reason"), str) or not body["reason"].strip():
            raise unprocessable("reason", "MISSING")
        return answer(self.register.cancel(record["recordId"]))

    async def _post_repair(self, request: Request) -> Response:
        content = check_repair(await json_body(request))
        before = self.register.by_biz_no("repair", content["bizNo"])
        if before is not None:
            self._same_or_conflict(content, before)
            record = self._known_record(content["recordId"])
            return answer({**before, "subject": self.register.get("subject", record["code"]), "repeated": True})
        record = self._known_record(content["recordId"])
        check_repairable(content, record)
        self.count("creations.repair")
        repair = self.register.add_repair(content)
        self.tell("record.repaired", self._known_record(content["recordId"]))
        return answer({**repair, "subject": self.register.get("subject", record["code"])}, 201)

    async def _changes(self, request: Request) -> Response:
        since, limit = whole_number(request, "since", None, 0, 10**15), whole_number(request, "limit", 500, 1, 500)
        try:
            items, more = self.feed.read(since, limit, self.now())
        except TooOld as problem:
            content = {"type": "about:blank#feed-too-old", "oldestSeq": problem.oldest}
            return Response(msgspec.json.encode(content), 410, media_type="application/problem+json")
        return answer({"items": items, "nextSeq": items[-1]["seq"] if items else since, "hasMore": more})

    async def _snapshot(self, request: Request) -> Response:
        kind = _kind(request)
        items = self.register.after(kind, _opened(request.query_params.get("cursor")), _SNAPSHOT_PAGE + 1)
        page = items[:_SNAPSHOT_PAGE]
        next_cursor = _closed(page[-1][KINDS[kind]]) if len(items) > len(page) else None
        return answer({"items": page, "nextCursor": next_cursor, "asOfSeq": self.feed.as_of()})

    async def _digest(self, request: Request) -> Response:
        bucket = whole_number(request, "bucket", None, 0, 255)
        count, digest = self.register.digest(_kind(request), bucket)
        return answer({"bucket": bucket, "count": count, "digest": digest})


def _kind(request: Request) -> str:
    kind = request.query_params.get("type", "")
    if kind not in KINDS:
        raise unprocessable("type", f"NOT_ONE_OF_{'_'.join(KINDS)}")
    return kind


def _closed(key: str) -> str:
    return base64.b64encode(f"after:{key}".encode()).decode()


def _opened(cursor: str | None) -> str:
    """Return the key that a cursor stands for, "" for none; raise Problem 422 for a text that is no cursor."""
    if not cursor:
        return ""
    try:
        prefix, _, key = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        prefix, key = "", ""
    if prefix != "after" or not key:
        raise unprocessable("cursor", "UNKNOWN")
    return key
