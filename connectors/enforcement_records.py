"""Records of the enforcement platform beside tasks: coordinations, campaigns, key subjects, departments, items.

JSON objects as platforms/enforcement.md has them, into records of schema/entities. Called by `connectors.enforcement`.
"""

from datetime import datetime

from connectors.base import Item
from connectors.enforcement_values import PLATFORM, day, points, read_record, subject_codes
from connectors.record_fields import Fields, instant, member, subject_code, text, texts, whole
from schema.entities import (
    Campaign,
    Coordination,
    CoordinationStatus,
    Department,
    InspectionItem,
    KeySubject,
    Severity,
)
from schema.entity import Observation


def read_coordination(record: object, observed_at: datetime) -> Item:
    """Return what a coordination object says, or a Quarantined."""

    def make(fields: Fields) -> Observation:
        return Observation(
            record=Coordination(
                source=PLATFORM,
                observed_at=observed_at,
                version=fields.required("version", whole()),
                coordination_id=fields.required("coordinationId", text),
                department_code=fields.required("department", text),
                town=fields.required("town", text),
                category=fields.required("category", text),
                content=fields.required("content", text),
                due_at=fields.required("dueAt", instant),
                status=fields.required("status", member(CoordinationStatus)),
                updated_at=fields.required("updatedAt", instant),
            )
        )

    return read_record(record, Coordination, "coordinationId", make)


def read_campaign(record: object, observed_at: datetime) -> Item:
    """Return what a campaign object says, or a Quarantined. Campaigns carry no version: the second of the read stands for it."""

    def make(fields: Fields) -> Observation:
        pool = fields.part("pool") or Fields({})
        return Observation(
            record=Campaign(
                source=PLATFORM,
                observed_at=observed_at,
                version=fields.optional("version", whole()) or int(observed_at.timestamp()),
                campaign_id=fields.required("campaignId", text),
                external_no=fields.optional("externalNo", text),
                title=fields.optional("title", text) or "",
                departments=fields.optional("departments", texts) or (),
                seed=fields.required("seed", text),
                industry=pool.optional("industry", text),
                town=pool.optional("town", text),
                grades=pool.optional("grades", texts) or (),
                drawn_subjects=fields.required("drawnSubjects", subject_codes),
                task_ids=fields.required("tasks", texts),
            )
        )

    return read_record(record, Campaign, "campaignId", make)


def read_key_subject(record: object, observed_at: datetime) -> Item:
    """Return what an entry of the key supervision list says, or a Quarantined."""

    def make(fields: Fields) -> Observation:
        return Observation(
            record=KeySubject(
                source=PLATFORM,
                observed_at=observed_at,
                version=fields.required("version", whole()),
                code=fields.required("code", subject_code),
                reason=fields.required("reason", text),
                since=fields.required("since", day),
                ref=fields.required("ref", text),
            )
        )

    return read_record(record, KeySubject, "code", make)


def read_department(record: object, observed_at: datetime) -> Item:
    """Return what a department says, or a Quarantined; the second of the read stands for its version."""

    def make(fields: Fields) -> Observation:
        return Observation(
            record=Department(
                source=PLATFORM,
                observed_at=observed_at,
                version=int(observed_at.timestamp()),
                code=fields.required("code", text),
                name=fields.required("name", text),
            )
        )

    return read_record(record, Department, "code", make)


def read_item(record: object, observed_at: datetime) -> Item:
    """Return what an inspection item says, or a Quarantined; the second of the read stands for its version."""

    def make(fields: Fields) -> Observation:
        return Observation(
            record=InspectionItem(
                source=PLATFORM,
                observed_at=observed_at,
                version=int(observed_at.timestamp()),
                item_code=fields.required("itemCode", text),
                item_name=fields.required("itemName", text),
                points=fields.optional("points", points),
                severity=fields.optional("severity", member(Severity)),
            )
        )

    return read_record(record, InspectionItem, "itemCode", make)
