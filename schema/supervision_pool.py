"""The pools of graded supervision in the graph: how many subjects could be drawn for a joint inspection (分级监管对象池)."""

from collections.abc import Sequence
from typing import Annotated, Any

import strawberry
from strawberry import Info

from schema.context import GRAPH_READ, Context
from schema.counting import PoolQuestion
from schema.entities import Grade
from schema.graph_errors import BAD_USER_INPUT, GraphError
from schema.resolver import resolver
from schema.slices import FIRST_LIMIT


def listed_texts(where: str, values: Sequence[Grade | str]) -> tuple[str, ...]:
    """Return the values of a list as kept; raise GraphError for too many, and for such as no text has."""
    if len(values) > FIRST_LIMIT:
        raise GraphError(BAD_USER_INPUT, f"{where} has {len(values)} values; at most {FIRST_LIMIT} at once", limit=FIRST_LIMIT)
    texts = tuple(each.value if isinstance(each, Grade) else each for each in values)
    if any("\x00" in each for each in texts):
        raise GraphError(BAD_USER_INPUT, f"{where} holds a NUL character, which no text here does")
    return texts


@strawberry.type(description="Subjects of one grade in a pool (监管对象池分级)")
class PoolGrade:
    """One grade."""

    grade: Grade = strawberry.field(description="Grade (信用等级)")
    subjects: int = strawberry.field(description="Subjects of this grade (主体数)")
    key_subjects: int = strawberry.field(description="Of these, under key supervision (其中重点监管)")


@strawberry.type(description="How many subjects a pool for a joint inspection holds, by the mirror (双随机抽查对象池)")
class SupervisionPool:
    """The platform draws from a pool of its own, by town and industry too, which the mirror does not know: it may differ."""

    by_grade: list[PoolGrade] = strawberry.field(description="By grade, the best first (分级)")

    @resolver("All subjects of the pool", "主体数")
    def subjects(self) -> int:
        """Add up."""
        return sum(each.subjects for each in self.by_grade)

    @resolver("Of these, under key supervision", "其中重点监管")
    def key_subjects(self) -> int:
        """Add up."""
        return sum(each.key_subjects for each in self.by_grade)


POOL_SAYS = """How many companies a pool by grade holds now: those that credit knows, under key supervision or not, with a granted
approval of a matter. The mirror knows neither town nor industry of a subject; the matter stands for it (对象池)"""


def pool_field() -> Any:
    """Return the root field `supervisionPool`."""

    async def pool(
        info: Info[Context, None],
        grades: Annotated[list[Grade] | None, strawberry.argument(description="Grades; all without it (信用等级)")] = None,
        matters: Annotated[
            list[str] | None, strawberry.argument(description="With a granted approval of one of these (审批事项编码)")
        ] = None,
        key_supervision: Annotated[
            bool | None, strawberry.argument(description="Only those under key supervision, or only the others (重点监管)")
        ] = None,
    ) -> SupervisionPool:
        info.context.caller.require(GRAPH_READ)
        question = PoolQuestion(
            None if grades is None else listed_texts("grades", grades),
            None if matters is None else listed_texts("matters", matters),
            key_supervision,
        )
        found = (await info.context.reads.pool(question)).by_grade
        by_grade = [PoolGrade(grade=Grade(each), subjects=found[each][0], key_subjects=found[each][1]) for each in sorted(found)]
        return SupervisionPool(by_grade=by_grade)

    return strawberry.field(resolver=pool, graphql_type=SupervisionPool | None, description=POOL_SAYS)
