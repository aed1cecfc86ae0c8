"""Valid codes in any number, for tests that need more subjects than tests/builders.py names."""

from schema.identifiers import organisation_check_character, uscc_check_character


def uscc(number: int) -> str:
    """Return a unified social credit code with right check characters; the same number gives the same code."""
    organisation = f"MA2{number:05}" if number < 100_000 else f"{number:08}"
    body = f"91330782{organisation}"
    first17 = body + organisation_check_character(organisation)
    return first17 + uscc_check_character(first17)


def rid(number: int) -> str:
    """Return a person's code."""
    return f"RID-{number:064x}"


def old_number(number: int) -> str:
    """Return an old registration number."""
    return f"330782{number:09}"
