"""Where the mirror and a platform differ: how they compared last, and each difference with its evidence (数据漂移)."""

from enum import Enum
from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Internal, Personal, Says, to_many, to_one
from schema.entity import Entity, entity


class DriftMethod(Enum):
    """How the two are compared (比对方式)."""

    DIGEST = "DIGEST"
    """By the platform's digests, bucket by bucket."""
    FULL_READ = "FULL_READ"
    """By reading everything from the beginning."""


class DriftKind(Enum):
    """How the two differ (差异类别)."""

    MISSING_HERE = "MISSING_HERE"
    MISSING_THERE = "MISSING_THERE"
    OUTDATED_HERE = "OUTDATED_HERE"
    NEWER_HERE = "NEWER_HERE"
    UNEXPLAINED = "UNEXPLAINED"
    """A bucket whose digest is not that of the records that the platform shows."""


class DriftState(Enum):
    """What became of a difference (处理状态)."""

    REPAIRED = "REPAIRED"
    OPEN = "OPEN"
    WAITING = "WAITING"
    """More are gone than may be marked so without asking: an operator decides."""
    APPROVED = "APPROVED"
    TOMBSTONED = "TOMBSTONED"
    ENDED = "ENDED"
    """Looked at again, it was no more."""


@entity(
    "How the hub and a platform compared last", "比对报告", key="report_id", scope="ops:read", seen=BelongsTo(platform="platform")
)
class DriftReport(Entity, frozen=True):
    """One an entity and method. The figures are of the last comparison, and follow what becomes of its findings."""

    report_id: Annotated[str, Says("Platform, entity and method", "报告编号")]
    platform: Annotated[str, Indexed(), Says("Platform", "平台")]
    entity: Annotated[str, Says("Kind of record", "记录类别")]
    method: Annotated[DriftMethod, Says("How they are compared", "比对方式")]
    started_at: Annotated[Instant | None, Says("When the last comparison began; null before the first", "开始时间")]
    ended_at: Annotated[Instant | None, Says("When it ended; null while it runs, or if it never did", "结束时间")]
    failure: Annotated[str | None, Personal("text"), Says("Why it could not be made; null when it was", "失败原因")]
    checked: Annotated[int, Says("Buckets, or records, that were compared", "比对数量")]
    differing: Annotated[int, Says("Buckets whose digests differed for good", "不一致数量")]
    missing_here: Annotated[int, Says("Records that only the platform had", "本地缺失")]
    missing_there: Annotated[int, Says("Records that only the hub had", "平台缺失")]
    outdated_here: Annotated[int, Says("Records of which the platform had a newer version", "本地过期")]
    newer_here: Annotated[int, Says("Records of which the hub had a newer version", "本地较新")]
    unexplained: Annotated[int, Says("Buckets that no record explains", "无法解释")]
    repaired: Annotated[int, Says("Of all these, repaired or marked as gone", "已修复")]
    waiting: Annotated[int, Says("Of all these, waiting for an operator", "待审批")]
    next_at: Annotated[Instant, Internal(), Says("When they are compared next", "下次比对")]
    place: Annotated[str | None, Internal(), Says("How far the one under way, or broken off, has come; null between them", "进度")]

    findings = to_many("DriftFinding", "Differences found by it", "差异明细", ours="report_id", theirs="report_id")


@entity(
    "A record in which the hub and a platform differed",
    "差异明细",
    key="finding_id",
    indexes=(("report_id", "seen_at"), ("ended_at", "found_at")),
    scope="ops:read",
    seen=BelongsTo(platform="platform"),
)
class DriftFinding(Entity, frozen=True):
    """`finding_id` is a pure function of report, record and kind. Evidence is what both sides said when it was seen last."""

    finding_id: Annotated[str, Says("Identity", "编号")]
    report_id: Annotated[str, Says("Report that it belongs to", "报告编号")]
    platform: Annotated[str, Indexed(), Says("Platform", "平台")]
    entity: Annotated[str, Says("Kind of record", "记录类别")]
    record_key: Annotated[str, Indexed(), Says("Key of the record; of an unexplained bucket its name", "记录编号")]
    kind: Annotated[DriftKind, Indexed(), Says("How they differed", "差异类别")]
    state: Annotated[DriftState, Indexed(), Says("What became of it", "处理状态")]
    bucket: Annotated[str | None, Says("Bucket, where digests were compared", "分桶")]
    our_version: Annotated[int | None, Says("Version here; null if it was missing", "本地版本")]
    their_version: Annotated[int | None, Says("Version there; null if it was missing", "平台版本")]
    our_count: Annotated[int | None, Says("Records that the bucket held here", "本地数量")]
    their_count: Annotated[int | None, Says("Records that it held there", "平台数量")]
    our_digest: Annotated[str | None, Says("Digest of the bucket here", "本地摘要")]
    their_digest: Annotated[str | None, Says("Digest of the bucket there", "平台摘要")]
    found_at: Annotated[Instant, Indexed(), Says("When it was found first", "发现时间")]
    seen_at: Annotated[Instant, Says("When it was seen last", "最近发现")]
    ended_at: Annotated[Instant | None, Says("When it was no more; null while it stands", "结束时间")]
    item_id: Annotated[str | None, Indexed(), Says("Item of the ops list that asks what to do", "人工处理事项")]

    report = to_one("DriftReport", "Report that it belongs to", "比对报告", ours="report_id", theirs="report_id")
    ops_item = to_one("OpsItem", "Item that asks what to do", "人工处理事项", ours="item_id", theirs="item_id")
