"""Who asks, and what they may: `me`. Front ends offer what it names, and nothing else. One of the parts that Query is made of."""

import strawberry
from strawberry import Info

from schema.context import OPS_ACT, OPS_READ, PLATFORM, Caller, Context
from schema.resolver import resolver


@strawberry.type(description="Who asks, by the key or token that was shown (当前调用方)")
class Me:
    """What the hub knows of the caller; open to everybody, for it tells nothing of the city."""

    name: str | None = strawberry.field(description="Name in the audit; null where neither key nor token was shown (名称)")
    scopes: list[str] = strawberry.field(description="What is allowed, in order of the alphabet (权限)")
    departments: list[str] | None = strawberry.field(
        description="Codes of the departments whose rows are seen; null: no limit (可见部门)"
    )
    regions: list[str] | None = strawberry.field(description="Codes of the regions whose rows are seen; null: no limit (可见区域)")


def me_of(caller: Caller) -> Me:
    """Return a caller as the graph shows it: of its scopes, those that hold for somebody with its limits of rows."""
    limited = bool(caller.rows)
    void = {scope for scope in caller.scopes if limited and (scope in {OPS_READ, OPS_ACT} or scope.startswith(PLATFORM))}
    rows = caller.rows
    return Me(
        name=caller.name,
        scopes=sorted(caller.scopes - void),
        departments=None if rows.departments is None else sorted(rows.departments),
        regions=None if rows.regions is None else sorted(rows.regions),
    )


@strawberry.type
class MeQuery:
    """One field."""

    @resolver("Who asks, and what they may", "当前调用方与权限")
    def me(self, info: Info[Context, None]) -> Me:
        """Tell it."""
        return me_of(info.context.caller)
