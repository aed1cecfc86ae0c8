"""What the policy files say of departments, matters and items, as records of the mirror. Called by app.py at start.

Their version is the time of reading in tens of seconds, a platform's own is in seconds: so a changed file is applied, and a
platform that speaks of the same department or item always wins.
"""

from datetime import datetime

from connectors.base import Item
from hub.domain.policy import Policy
from schema.entities import Department, InspectionItem, Matter, Severity
from schema.entity import Observation

SOURCE = "policy"


def policy_records(policy: Policy, now: datetime) -> list[Item]:
    """Return every row as the graph shows it."""
    version = int(now.timestamp()) // 10
    records: list[Department | Matter | InspectionItem] = [
        Department(source=SOURCE, observed_at=now, version=version, code=row.code, name=row.name) for row in policy.departments
    ]
    records += [
        Matter(
            source=SOURCE,
            observed_at=now,
            version=version,
            code=row.code,
            name=row.name,
            department_code=row.department,
            commitment_allowed=row.commitment,
            live=row.live,
        )
        for row in policy.matters
    ]
    records += [
        InspectionItem(
            source=SOURCE,
            observed_at=now,
            version=version,
            item_code=row.code,
            item_name=row.name,
            points=row.points,
            severity=Severity(row.severity) if row.severity else None,
        )
        for row in policy.items
    ]
    return [Observation(record=record) for record in records]
