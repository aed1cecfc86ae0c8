"""What the tests of commands share."""

from tests.command_line import bihuan, city, household

__all__ = ["bihuan", "city", "household"]
