"""Whether an operation asks platforms live. For whoever executes operations in a way that reads the mirror only."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    Node,
    NullValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
)

from schema.live import MAX_AGE


def asks_live(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> bool:
    """Return whether a field of the operation has a `maxAge` that is not null, be it by a variable or a variable's default.

    What @skip and @include take away counts all the same. Fragments are looked at once each.
    """
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    waiting: list[Node] = [operation]
    while waiting:
        node = waiting.pop()
        for argument in getattr(node, "arguments", None) or ():
            if argument.name.value == MAX_AGE and _is_given(argument.value, defaults, variables):
                return True
        if isinstance(node, FragmentSpreadNode) and (fragment := fragments.pop(node.name.value, None)) is not None:
            waiting.append(fragment)
        selection: SelectionSetNode | None = getattr(node, "selection_set", None)
        waiting.extend(selection.selections if selection else ())
    return False


def _is_given(value: ValueNode, defaults: Mapping[str, ValueNode | None], variables: Mapping[str, Any]) -> bool:
    if not isinstance(value, VariableNode):
        return not isinstance(value, NullValueNode)
    name = value.name.value
    if name in variables:
        return variables[name] is not None
    default = defaults.get(name)
    return default is not None and not isinstance(default, NullValueNode)
