"""What front ends say when they ask for something to be made. The engine checks and keeps it (schema/entities/request.py)."""

from datetime import datetime

import strawberry


@strawberry.input(description="A joint random inspection that is to be drawn (双随机联合检查下达输入)")
class RequestCampaignInput:
    """Input of requestCampaign."""

    request_no: str = strawberry.field(description="Your own number of it; the same one again is the same request (下达编号)")
    title: str = strawberry.field(description="Title of the inspection; not blank (标题)")
    departments: list[str] = strawberry.field(description="Codes of the departments, the first in charge (部门编码)")
    subjects: int = strawberry.field(description="How many subjects are drawn (抽取数)")
    officers_per_task: int = strawberry.field(description="How many officers are drawn for each subject (每组人数)")
    due_at: datetime = strawberry.field(description="By when it is to be done (截止时间)")
    industry: str | None = strawberry.field(default=None, description="Only subjects of this industry (行业)")
    town: str | None = strawberry.field(default=None, description="Only subjects of this town (镇街)")
    grades: list[str] = strawberry.field(
        default_factory=list, description="Only subjects of these credit grades; none: all (信用等级)"
    )
