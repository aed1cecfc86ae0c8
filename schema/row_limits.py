"""Which rows a caller may see, of entities that belong to a department or a region. hub/mirror/visibility.py makes SQL of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RowLimits:
    """None: no limit. An empty set: nothing. Codes are compared as they stand."""

    departments: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    """Six digits each."""
    at_home: bool = True
    """Whether the hub's own region is among `regions`; rows that name no region are of that one."""

    def __bool__(self) -> bool:
        """Return whether there is any limit."""
        return self.departments is not None or self.regions is not None


def row_limits(departments: frozenset[str] | None, regions: frozenset[str] | None, home: str) -> RowLimits:
    """Return limits as a hub in the region `home` understands them."""
    return RowLimits(departments, regions, regions is None or home in regions)


EVERY_ROW = RowLimits()
