"""How far a document reaches once its fragments are put in place: what a few lines can blow up to. Called by limits.py.

Every definition is looked at, for validation does so too; and it ends at a bound, whatever the fragments do.
"""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


class Extent(NamedTuple):
    """Numbers of what an answer, or the check of a document, has to go through."""

    fields: int
    """Fields and spreads of all definitions; where that is more than the bound, nothing behind it was looked at."""
    aliases: int
    """Of the definition with most, as the two that follow."""
    directives: int
    repeats: int
    """How often one place of the answer is asked for: validation compares each with each."""


@lru_cache(500)  # as many as are remembered parsed and validated
def extent_of(document: DocumentNode, bound: int) -> Extent:
    """Return the extent of a document; it need not be valid yet."""
    walk = _Walk({each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}, bound)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            walk.through(definition)
    for name, fragment in walk.fragments.items():
        if name not in walk.used:  # what an operation uses was looked at where it uses it
            walk.through(fragment)
    return Extent(walk.fields, walk.most["aliases"], walk.most["directives"], walk.most["repeats"])


class _Walk:
    """A place of the answer is its parent's place and its name there. A fragment counts once at a place, as it is executed."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], bound: int) -> None:
        self.fragments, self.bound = fragments, bound
        self.fields, self.most = 0, Counter[str]()
        self.used: set[str] = set()

    def through(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> None:
        """Add up one definition."""
        found = Counter(directives=len(definition.directives or ()))
        places, times, spread = dict[tuple[int, str], int](), Counter[int](), set[tuple[int, str]]()
        waiting: list[tuple[SelectionSetNode, int, frozenset[str]]] = [(definition.selection_set, 0, frozenset())]
        while waiting and self.fields <= self.bound:
            selections, parent, within = waiting.pop()
            for node in selections.selections:
                found["directives"] += len(node.directives or ())
                if isinstance(node, FieldNode):
                    self.fields += 1
                    found["aliases"] += node.alias is not None
                    place = places.setdefault((parent, (node.alias or node.name).value), len(places) + 1)
                    times[place] += 1
                    if node.selection_set:
                        waiting.append((node.selection_set, place, within))
                elif isinstance(node, InlineFragmentNode):
                    waiting.append((node.selection_set, parent, within))
                elif isinstance(node, FragmentSpreadNode) and (parent, node.name.value) not in spread:
                    self.fields += 1
                    spread.add((parent, name := node.name.value))
                    if name in self.fragments and name not in within:
                        self.used.add(name)
                        waiting.append((self.fragments[name].selection_set, parent, within | {name}))
        found["repeats"] = max(times.values(), default=0)
        self.most |= found


def size_of(variables: Mapping[str, Any]) -> int:
    """Return how many values variables hold, those within lists and objects included."""
    size, waiting = 0, list(variables.values())
    while waiting:
        value = waiting.pop()
        size += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return size
