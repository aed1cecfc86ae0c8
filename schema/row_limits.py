"""Which rows a caller may see, of entities that belong to a department or a region. hub/mirror/visibility.py makes SQL of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RowLimits:
    """None: no limit. An empty set: nothing. Codes are compared as they stand."""

    departments: frozenset[str] | None = None
    regions: frozenset[str] | None = None
    """Six digits each."""

    def __bool__(self) -> bool:
        """Return whether there is any limit."""
        return self.departments is not None or self.regions is not None


EVERY_ROW = RowLimits()
