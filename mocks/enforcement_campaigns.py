"""Joint random inspections (跨部门"双随机"): subjects and officers both drawn, by a seed that is published."""

import random
from typing import TYPE_CHECKING

import msgspec

from mocks.enforcement_officers import drawn_officers
from mocks.enforcement_orders import CampaignOrder, Pool
from mocks.enforcement_pages import RefusedError
from mocks.enforcement_tasks import stamp
from mocks.store import Document

if TYPE_CHECKING:
    from mocks.enforcement import EnforcementPlatform


def drawn_campaign(platform: "EnforcementPlatform", order: CampaignOrder) -> Document:
    """Draw the subjects, make a task for each of them, store and return the campaign.

    Anyone with the seed and the pool can repeat the draw. Raise RefusedError (422) when the pool is too small.
    """
    pool = sorted((one for one in platform.store.all("pool").values() if _holds(order.pool, one)), key=lambda one: str(one["code"]))
    if len(pool) < order.subjects:
        raise RefusedError(422, "POOL_TOO_SMALL", f"the pool holds {len(pool)} subjects, {order.subjects} are to be drawn")
    seed = f"{platform.rng.getrandbits(64):016x}"
    draw = random.Random(seed)
    drawn = draw.sample(pool, order.subjects)
    campaign_id = f"SJ{platform.store.next_number('campaign'):06d}"
    campaign: Document = {
        "campaignId": campaign_id,
        **msgspec.to_builtins(order),
        "seed": seed,
        "drawnSubjects": [subject["code"] for subject in drawn],
        "tasks": [_task(platform, order, campaign_id, subject, draw) for subject in drawn],
        "createdAt": stamp(platform.now()),
    }
    platform.store.put("campaign", campaign_id, campaign)
    return campaign


def _task(platform: "EnforcementPlatform", order: CampaignOrder, campaign_id: str, subject: Document, draw: random.Random) -> str:
    task = platform.tasks.make(
        external_no=None,
        type_="RANDOM",
        title=order.title,
        subjects=[{"code": subject["code"], "name": subject["name"], "address": subject.get("address")}],
        department=order.departments[0],
        participants=order.departments,
        due_at=order.due_at.isoformat(),
        origin=None,
        urgency=3,
        campaign_id=campaign_id,
        officers=drawn_officers(order.departments, order.officers_per_task, head=False, rng=draw),
    )
    return str(task["taskId"])


def _holds(pool: Pool, subject: Document) -> bool:
    return (
        (not pool.industry or subject.get("industry") == pool.industry)
        and (not pool.town or subject.get("town") == pool.town)
        and (not pool.grades or subject.get("grade") in pool.grades)
    )
