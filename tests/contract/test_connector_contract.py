"""What every connector must do. Cases come from the registry, so that no connector can be forgotten."""

import importlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec
import pytest
from pydantic import ValidationError

from connectors.base import Connector, Page, Quarantined, Receipt
from connectors.buckets import Buckets, Line
from connectors.errors import BadSignature, PermanentError, TransientError, UnknownOutcome
from connectors.exchanges import HEADERS, secret_texts
from connectors.registry import CONNECTORS
from hub.reconcile.transcript import Transcript
from schema.commands import AcceptEvent, AnyCommand, RemoveKeySubject
from schema.entity import Mirrored, Observation, key_of
from tests.contract.cases import NOW, WIRE, FakeTime, PlatformCases, Wire, World, said

NESTED = (b"[" * 100_000, b'{"type":"record.created","data":' + b"[" * 100_000, b"<a>" * 100_000)
"""Documents that would exhaust a parser that goes down into them without end."""


@pytest.fixture(params=sorted(CONNECTORS))
async def cases(request: pytest.FixtureRequest) -> AsyncIterator[PlatformCases]:
    found = importlib.import_module(f"tests.contract.{request.param}_cases").CASES
    assert isinstance(found, PlatformCases)
    assert found.connector is CONNECTORS[request.param]
    yield found
    await found.close()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


def connected(cases: PlatformCases, time: FakeTime, way: object = None) -> Connector:
    return cases.connected(time, way)


def needs_webhooks(cases: PlatformCases) -> None:
    if not cases.posts:
        pytest.skip("the platform posts no webhooks")


async def read_on(cases: PlatformCases, connector: Connector, cursor: str | None) -> list[Page]:
    """Return all pages from a cursor to the present."""
    assert cases.stream is not None
    pages = [page async for page in connector.changes(cases.stream, cursor)]
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    return pages


def paged(cases: PlatformCases, time: FakeTime) -> World:
    """Return the platform in memory, for a test that reads its stream on."""
    if cases.stream is None:
        pytest.skip("the platform has no streams")
    return cases.world(time)


def seen(pages: list[Page]) -> dict[str, int]:
    """Return the newest version seen of each record."""
    versions: dict[str, int] = {}
    for page in pages:
        for item in page.items:
            assert not isinstance(item, Quarantined), item.detail
            if isinstance(item, Observation):
                key = key_of(item.record)
                versions[key] = max(versions.get(key, 0), item.record.version)
    return versions


class TestConnectorContract:
    # --- signatures

    def test_a_good_signature_is_taken_and_says_which_secret_made_it(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        verified = connected(cases, time).verify(cases.delivery(cases.bodies.good, at=NOW))
        assert verified.secret_index == 0
        assert verified.signature

    def test_during_a_key_change_the_older_secret_is_taken_as_well(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        delivery = cases.delivery(cases.bodies.good, at=NOW, signed_with="old")
        assert connected(cases, time).verify(delivery).secret_index == 1

    def test_another_secret_is_refused(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        with pytest.raises(BadSignature):
            connected(cases, time).verify(cases.delivery(cases.bodies.good, at=NOW, signed_with="wrong"))

    def test_a_tampered_body_is_refused(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        delivery = cases.delivery(cases.bodies.good, at=NOW)
        with pytest.raises(BadSignature):
            connected(cases, time).verify(msgspec.structs.replace(delivery, body=delivery.body + b" "))

    def test_a_delivery_without_one_of_its_signature_headers_is_refused(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        delivery, connector = cases.delivery(cases.bodies.good, at=NOW), connected(cases, time)
        for missing in cases.signature_headers:
            with pytest.raises(BadSignature):
                connector.verify(cases.with_part(delivery, missing, None))

    def test_odd_header_values_are_refused_and_break_nothing(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        delivery, connector = cases.delivery(cases.bodies.good, at=NOW), connected(cases, time)
        for name in cases.signature_headers:
            for odd in ("", "é中", "-1", "9" * 40, "١٢٣", "\x00"):
                with pytest.raises(BadSignature):
                    connector.verify(cases.with_part(delivery, name, odd))

    def test_a_stale_delivery_is_refused_and_one_within_the_tolerance_is_not(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        if cases.fresh_for is None:
            pytest.skip("the page states no tolerance")
        connector = connected(cases, time)
        for direction in (-1, 1):
            connector.verify(cases.delivery(cases.bodies.good, at=NOW + direction * (cases.fresh_for - timedelta(seconds=1))))
            with pytest.raises(BadSignature):
                connector.verify(cases.delivery(cases.bodies.good, at=NOW + direction * (cases.fresh_for + timedelta(seconds=2))))

    def test_a_platform_that_posts_nothing_has_every_delivery_refused(self, cases: PlatformCases, time: FakeTime) -> None:
        if cases.posts:
            pytest.skip("the platform posts webhooks")
        with pytest.raises(BadSignature) as refused:
            connected(cases, time).verify(cases.delivery(cases.bodies.good, at=NOW))
        assert refused.value.code == "NO_WEBHOOKS"

    def test_settings_without_secrets_are_refused_at_start(self, cases: PlatformCases) -> None:
        with pytest.raises(ValidationError):
            cases.settings(secrets=False)

    def test_secrets_do_not_show_in_the_settings(self, cases: PlatformCases) -> None:
        settings = cases.settings()
        shown = f"{settings!r} {settings}"
        assert not any(hidden in shown for hidden in cases.hidden)
        for value in settings.model_dump().values():
            for secret in value if isinstance(value, tuple) else (value,):
                if hasattr(secret, "get_secret_value"):
                    assert secret.get_secret_value() not in shown

    def test_a_replay_has_the_same_signature_and_a_repetition_another(self, cases: PlatformCases, time: FakeTime) -> None:
        needs_webhooks(cases)
        connector, first = connected(cases, time), cases.delivery(cases.bodies.good, at=NOW)
        again = cases.delivery(cases.bodies.good, at=NOW + timedelta(seconds=1))
        assert connector.verify(first).signature == connector.verify(first).signature
        assert connector.verify(first).signature != connector.verify(again).signature

    def test_the_platform_takes_an_acknowledgement_for_one_only_when_it_is_stored(
        self, cases: PlatformCases, time: FakeTime
    ) -> None:
        connector, delivery = connected(cases, time), cases.delivery(cases.bodies.good, at=NOW)
        assert cases.is_acknowledged(connector.acknowledge(delivery, stored=True))
        assert connector.acknowledge(delivery, stored=False).status == 503

    # --- parsing

    def test_golden_samples_give_what_they_say(self, cases: PlatformCases, time: FakeTime) -> None:
        connector = connected(cases, time)
        for golden in cases.golden:
            body = (WIRE / cases.connector.platform / golden.file).read_bytes()
            assert tuple(map(said, connector.parse(cases.delivery(body, at=NOW)))) == golden.gives, golden.file

    def test_records_say_where_they_come_from_and_when_they_were_seen(self, cases: PlatformCases, time: FakeTime) -> None:
        for item in connected(cases, time).parse(cases.delivery(cases.bodies.good, at=NOW)):
            assert isinstance(item, Observation)
            assert (item.record.source, item.record.observed_at) == (cases.connector.platform, NOW)

    def test_unknown_fields_change_nothing(self, cases: PlatformCases, time: FakeTime) -> None:
        connector = connected(cases, time)
        good = connector.parse(cases.delivery(cases.bodies.good, at=NOW))
        assert connector.parse(cases.delivery(cases.bodies.unknown_field, at=NOW)) == good

    def test_an_optional_field_may_be_absent_null_or_empty(self, cases: PlatformCases, time: FakeTime) -> None:
        if not cases.bodies.optional_variants:
            pytest.skip("the page has no optional field")
        connector = connected(cases, time)
        first, *others = (connector.parse(cases.delivery(body, at=NOW)) for body in cases.bodies.optional_variants)
        assert all(isinstance(item, Observation) for item in first)
        assert all(other == first for other in others)

    def test_a_bad_record_is_quarantined_with_its_reason_and_never_raised(self, cases: PlatformCases, time: FakeTime) -> None:
        connector, bodies = connected(cases, time), cases.bodies
        for body, reason in (
            (bodies.missing_field, "MISSING_FIELD"),
            (bodies.malformed_field, None),
            (bodies.wrong_encoding, None),
        ):
            (item,) = connector.parse(cases.delivery(body, at=NOW))
            assert isinstance(item, Quarantined)
            assert item.reason == (reason or item.reason)
            assert not any(number in item.detail for number in cases.personal)

    def test_rubbish_is_quarantined_and_never_raised(self, cases: PlatformCases, time: FakeTime) -> None:
        connector = connected(cases, time)
        for body in (b"", b"null", b"[]", b"{}", b"1", b"<a/>", b"<a", b"\xff\xfe\x00", b'{"data": []}', *NESTED):
            items = connector.parse(cases.delivery(body, at=NOW))
            assert items
            assert all(isinstance(item, Quarantined) for item in items), body[:20]

    def test_a_bad_record_leaves_its_neighbours_alone(self, cases: PlatformCases, time: FakeTime) -> None:
        if cases.bodies.one_bad_of_two is None:
            pytest.skip("a delivery of this platform holds one record")
        items = connected(cases, time).parse(cases.delivery(cases.bodies.one_bad_of_two, at=NOW))
        assert sorted(isinstance(item, Quarantined) for item in items) == [False, True]

    def test_a_document_with_a_dtd_is_quarantined(self, cases: PlatformCases, time: FakeTime) -> None:
        if cases.bodies.with_dtd is None:
            pytest.skip("the platform speaks no XML")
        (item,) = connected(cases, time).parse(cases.delivery(cases.bodies.with_dtd, at=NOW))
        assert said(item) == "Quarantined DTD_FORBIDDEN"

    # --- paging

    async def test_hundreds_of_records_of_one_second_are_all_read(self, cases: PlatformCases, time: FakeTime) -> None:
        world = paged(cases, time)
        before = world.make(30)
        time.advance(1)
        made = before + world.make(450)
        time.advance(cases.overlap_seconds + 10)
        assert set(made) <= set(seen(await read_on(cases, connected(cases, time, world.way), None)))

    async def test_the_cursor_of_every_page_goes_on_without_a_gap(self, cases: PlatformCases, time: FakeTime) -> None:
        world = paged(cases, time)
        made = list[str]()
        for _ in range(8):
            made += world.make(60)
            time.advance(20)
        time.advance(cases.overlap_seconds)
        pages = await read_on(cases, connected(cases, time, world.way), None)
        assert set(made) <= set(seen(pages))
        for number, page in enumerate(pages):
            rest = await read_on(cases, connected(cases, time, world.way), page.cursor)
            assert set(made) <= set(seen(pages[: number + 1])) | set(seen(rest)), f"page {number}"

    async def test_records_that_change_while_they_are_read_are_seen_in_their_newest_version(
        self, cases: PlatformCases, time: FakeTime
    ) -> None:
        world = paged(cases, time)
        made = world.make(250)
        time.advance(3)
        made += world.make(250)
        time.advance(cases.overlap_seconds + 10)
        connector, pages = connected(cases, time, world.way), list[Page]()
        newest = dict.fromkeys(made, 1)
        async for page in connector.changes(str(cases.stream), None):
            pages.append(page)
            for key in (made[len(pages) % 500], made[-1 - len(pages) % 400]):
                newest[key] = world.change(key)
            if len(pages) <= 5:
                newest.update(dict.fromkeys(world.make(3), 1))
            assert len(pages) < 200, "it never ends"
        for _ in range(4):
            time.advance(cases.overlap_seconds / 2 + 10)
            pages += await read_on(cases, connector, pages[-1].cursor)
        found = seen(pages)
        assert {key: found.get(key, 0) for key in newest} == {
            key: max(found.get(key, 0), version) for key, version in newest.items()
        }

    async def test_what_changed_between_two_times_is_read_again_or_the_connector_says_that_it_cannot_be(
        self, cases: PlatformCases, time: FakeTime
    ) -> None:
        if cases.stream is None:
            with pytest.raises(PermanentError, match="resync"):
                connected(cases, time).between("none", time.now, time.now)
            return
        world, made = cases.world(time), list[set[str]]()
        connector = connected(cases, time, world.way)
        for _ in range(3):
            made.append(set(world.make(130)))
            time.advance(3600)
        start = time.now - timedelta(hours=2, minutes=10)
        if type(connector).between is Connector.between:
            with pytest.raises(PermanentError, match="resync"):
                connector.between(cases.stream, start, time.now)
            return
        pages = [page async for page in connector.between(cases.stream, start, start + timedelta(minutes=20))]
        found = {key_of(item.record) for page in pages for item in page.items if isinstance(item, Observation)}
        assert made[1] <= found
        assert not made[0] & found
        assert not made[2] & found

    async def test_a_cursor_in_the_future_passes_nothing_over(self, cases: PlatformCases, time: FakeTime) -> None:
        world = paged(cases, time)
        world.make(3)
        time.advance(86_400)
        cursor = (await read_on(cases, connected(cases, time, world.way), None))[-1].cursor
        time.advance(-86_000)  # the clocks were wrong, and are put right
        made = world.make(2)
        time.advance(5)
        connector, pages = connected(cases, time, world.way), list[Page]()
        for _ in range(4):
            pages += await read_on(cases, connector, cursor)
            cursor = pages[-1].cursor
            time.advance(cases.overlap_seconds / 2 + 10)
        assert set(made) <= set(seen(pages))

    async def test_what_was_read_is_not_delivered_again_for_ever(self, cases: PlatformCases, time: FakeTime) -> None:
        world = paged(cases, time)
        world.make(20)
        connector, cursor, pages = connected(cases, time, world.way), None, list[Page]()
        for _ in range(5):
            time.advance(cases.overlap_seconds + 10)
            pages = await read_on(cases, connector, cursor)
            cursor = pages[-1].cursor
        assert seen(pages) == {}

    # --- completeness

    def test_what_is_claimed_of_streams_is_of_entities_that_they_have(self, cases: PlatformCases) -> None:
        streams = {stream.name: stream for stream in cases.connector.streams}
        assert all(set(stream.whole) <= set(stream.entities) for stream in streams.values())
        assert all(kind.entity in streams[kind.stream].whole for kind in cases.connector.digests)

    async def test_a_key_that_nobody_has_is_left_out_of_a_live_read(self, cases: PlatformCases, time: FakeTime) -> None:
        connector = connected(cases, time, cases.world(time).way)
        for entity in sorted(cases.connector.fetchable):
            assert await connector.fetch(entity, ["NOBODY-HAS-IT"]) == []

    async def test_the_platforms_digests_are_those_of_what_its_stream_shows(self, cases: PlatformCases, time: FakeTime) -> None:
        world, connector, held = await shown(cases, time)
        lines = bucketed(cases.connector.digests, held)
        assert lines
        for kind, bucket in lines:
            assert await connector.digest(kind.entity, bucket) == kind.digest(lines[kind, bucket]), bucket
            time.advance(1)
        changed = next(iter(held))
        world.change(changed)
        for kind, bucket in lines:
            same = await connector.digest(kind.entity, bucket) == kind.digest(lines[kind, bucket])
            assert same != (changed in dict(lines[kind, bucket])), bucket
            time.advance(1)

    async def test_the_contents_of_a_bucket_explain_its_digest(self, cases: PlatformCases, time: FakeTime) -> None:
        _, connector, held = await shown(cases, time)
        for kind, bucket in bucketed(cases.connector.digests, held):
            found = [item async for items in connector.contents(kind.entity, bucket) for item in items]
            records = [item.record for item in found if isinstance(item, Observation)]
            explained = {Line(key_of(one), one.version) for one in records if kind.bucket_of(one) == bucket}
            assert kind.digest(explained) == await connector.digest(kind.entity, bucket)
            time.advance(1)

    async def test_all_buckets_there_can_be_are_named_once(self, cases: PlatformCases) -> None:
        for kind in cases.connector.digests:
            names = list(kind.names(NOW.date() - timedelta(days=3), NOW))
            assert names == list(dict.fromkeys(names))
            assert len(names) == (4 if kind.day_of else 256)

    # --- errors

    async def test_too_many_calls_are_transient_and_say_how_long_to_wait(self, cases: PlatformCases, time: FakeTime) -> None:
        wire = cases.wire()
        wire.ask_to_wait(90)
        with pytest.raises(TransientError) as failed:
            await cases.read(connected(cases, time, wire))
        assert failed.value.retry_after == 90.0

    async def test_a_maintenance_window_is_transient_and_says_how_long_to_wait(self, cases: PlatformCases, time: FakeTime) -> None:
        wire = cases.wire()
        wire.close_for(3600)
        with pytest.raises(TransientError) as failed:
            await cases.read(connected(cases, time, wire))
        assert failed.value.retry_after == 3600.0

    async def test_a_read_without_an_answer_is_transient(self, cases: PlatformCases, time: FakeTime) -> None:
        if not cases.can_be_read:
            pytest.skip("the platform answers no questions")
        wire = cases.wire()
        wire.keep_silent()
        with pytest.raises(TransientError):
            await cases.read(connected(cases, time, wire))
        assert wire.calls > 1

    async def test_a_sign_of_life_is_told_and_silence_is_transient(self, cases: PlatformCases, time: FakeTime) -> None:
        way = cases.world(time).way
        assert (await connected(cases, time, way).knock()).says
        wire = cases.wire(way)
        wire.keep_silent()
        with pytest.raises(TransientError):
            await connected(cases, time, wire).knock()

    async def test_a_refusal_is_permanent_and_is_not_repeated(self, cases: PlatformCases, time: FakeTime) -> None:
        wire = cases.wire()
        wire.refuse()
        with pytest.raises(PermanentError):
            await cases.read(connected(cases, time, wire))
        assert wire.calls == 1

    async def test_an_unknown_command_is_permanent(self, cases: PlatformCases, time: FakeTime) -> None:
        with pytest.raises(PermanentError):
            await connected(cases, time, cases.wire()).ensure(foreign_to(cases), "key", unknown_since=None)

    # --- writes

    async def test_ensure_twice_makes_one(self, cases: PlatformCases, time: FakeTime) -> None:
        world = cases.world(time)
        connector = connected(cases, time, world.way)
        for command in world.commands():
            receipts = [await ensured(connector, command, time, None) for _ in range(2)]
            time.advance(5)
            assert world.made(command) == 1, command
            assert receipts[0].reference == receipts[1].reference

    async def test_a_retry_after_a_lost_answer_makes_one(self, cases: PlatformCases, time: FakeTime) -> None:
        world = cases.world(time)
        commands, wire = world.commands(), cases.wire(world.way)
        for command in commands:
            wire.lose_answers_when(partial(exists, world, command))
            with pytest.raises(UnknownOutcome) as lost:
                await connected(cases, time, wire).ensure(command, f"key of {command}", unknown_since=None)
            wire.lose_answers_when(lambda: False)
            assert world.made(command) == 1
            time.advance(lost.value.retry_after or 0.0)
            receipt = await ensured(connected(cases, time, wire), command, time, lost.value.sent_at)
            time.advance(5)
            assert receipt.reference
            assert world.made(command) == 1, command

    async def test_what_is_said_of_a_command_is_told_without_secrets(self, cases: PlatformCases, time: FakeTime) -> None:
        world = cases.world(time)
        commands, wire = world.commands(), cases.wire(world.way)
        connector = connected(cases, time, wire)
        for command in commands:
            with Transcript() as transcript:
                await ensured(connector, command, time, None)
            last = transcript.exchanges[-1]
            assert last.outcome == "OK", last
            assert last.answer, last
            assert last.answered_at is not None
            asked = "".join(each.request for each in transcript.exchanges)
            assert named_in(command) in asked, asked
            told = asked + "".join(each.answer or "" for each in transcript.exchanges)
            assert hidden_from(cases, wire) & set(re.findall(r"[\w+/=.-]{8,}", told)) == set()

    async def test_what_was_sent_is_told_where_no_answer_came(self, cases: PlatformCases, time: FakeTime) -> None:
        world = cases.world(time)
        commands, wire = world.commands(), cases.wire(world.way)
        for command in commands:
            wire.lose_answers_when(partial(exists, world, command))
            with Transcript() as transcript, pytest.raises(UnknownOutcome) as lost:
                await connected(cases, time, wire).ensure(command, f"key of {command}", unknown_since=None)
            wire.lose_answers_when(lambda: False)
            last = transcript.exchanges[-1]
            assert (last.outcome, last.answer, last.answered_at) == (lost.value.code, None, None)
            assert named_in(command) in last.request


async def shown(cases: PlatformCases, time: FakeTime) -> tuple[World, Connector, dict[str, Mirrored]]:
    """Return a platform with records of two days, and all that its stream shows of entities that it gives digests of."""
    if not cases.connector.digests:
        pytest.skip("the platform gives no digests")
    world = paged(cases, time)
    world.make(3)
    time.advance(86_400)
    world.make(4)
    time.advance(cases.overlap_seconds + 10)
    connector = connected(cases, time, world.way)
    items = [item for page in await read_on(cases, connector, None) for item in page.items]
    return world, connector, {key_of(item.record): item.record for item in items if isinstance(item, Observation)}


def bucketed(kinds: Sequence[Buckets], held: dict[str, Mirrored]) -> dict[tuple[Buckets, str], set[Line]]:
    """Return the lines of what is held, by bucket."""
    lines: dict[tuple[Buckets, str], set[Line]] = defaultdict(set)
    for kind in kinds:
        for key, record in held.items():
            if type(record).__name__ == kind.entity:
                lines[kind, kind.bucket_of(record)].add(Line(key, record.version))
    return lines


def exists(world: World, command: AnyCommand) -> bool:
    return world.made(command) > 0


def named_in(command: AnyCommand) -> str:
    """Return what of a command stands in the call that carries it out: our number, or that of what it is about."""
    names = ("external_no", "biz_no", "ext_no", "out_no", "notice_no", "report_no", "approval_no", "entry_no", "event_no")
    more = ("coordination_id", "task_id", "code")
    plain = msgspec.to_builtins(command)
    others = (name for name in plain if name.endswith("_no"))
    return str(next(plain[name] for name in (*names, *more, *others) if plain.get(name)))


def hidden_from(cases: PlatformCases, wire: Wire) -> set[str]:
    """Return every secret of the settings, and every text that signed a call: in headers that are not kept, and in bodies."""
    signs = {value for request in wire.sent for name, value in request.headers.items() if name not in HEADERS and len(value) > 20}
    bodies = "".join(request.content.decode("latin-1") for request in wire.sent)
    signs |= set(re.findall(r'sign"?[:>]"?([0-9A-Fa-f]{32,64})', bodies))
    return signs | set(secret_texts(cases.settings())) | set(cases.hidden)


def foreign_to(cases: PlatformCases) -> AnyCommand:
    """Return a command that another platform carries out."""
    if cases.connector.platform == "enforcement":
        return AcceptEvent(event_no="YW1", task_id="T1", department="D1", accepted_at=NOW)
    return RemoveKeySubject(code="91330782147664100G")


async def ensured(connector: Connector, command: AnyCommand, time: FakeTime, unknown_since: datetime | None) -> Receipt:
    """Ensure as the ledger does: wait as long as is asked for, and repeat."""
    for _ in range(20):
        try:
            return await connector.ensure(command, f"key of {command}", unknown_since=unknown_since)
        except UnknownOutcome as error:
            unknown_since = error.sent_at
            time.advance(error.retry_after or 1.0)
        except TransientError as error:
            time.advance(error.retry_after or 1.0)
    raise AssertionError(f"{command} was not made in 20 tries")
