"""Python source in the making: functions, and the objects that they use. `print(plan.source)` shows what was made."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

_NUMBERS = count(1)


class Source:
    """Functions of one plan."""

    def __init__(self) -> None:
        self._functions: list[str] = []
        self._scope: dict[str, Any] = {}
        self._names: dict[int, str] = {}

    def use(self, name: str, what: Any) -> str:
        """Return the name under which the functions know an object; the same object keeps its name."""
        if id(what) not in self._names:
            at = 1
            while name in self._scope:
                at, name = at + 1, f"{name.rstrip('0123456789')}{at}"
            self._scope[name] = what  # kept here, so that its id stays its own
            self._names[id(what)] = name
        return self._names[id(what)]

    def function(self, name: str, parameters: str, body: Sequence[str]) -> str:
        """Add a function and return its name, made unique."""
        unique = f"{name}_{len(self._functions) + 1}"
        self._functions.append("\n".join([f"def {unique}({parameters}):", *(f"    {line}" for line in body)]))
        return unique

    @property
    def text(self) -> str:
        """Return the source of all functions."""
        return "\n\n\n".join(self._functions) + "\n"

    def made(self, name: str) -> Callable[..., Any]:
        """Return a function, ready to be called; its lines are shown in tracebacks."""
        file = f"<plan {next(_NUMBERS)}>"
        scope = dict(self._scope)
        exec(compile(self.text, file, "exec"), scope)  # noqa: S102  (names and values of ours; what a client wrote is quoted by repr)
        found: Callable[..., Any] = scope[name]
        return found


def object_body(entries: Sequence[tuple[str, str]]) -> list[str]:
    """Return the lines of a function that returns an object: response keys and expressions."""
    return ["return {", *(f"    {key!r}: {expression}," for key, expression in entries), "}"]
