"""Who takes part in the ten cases. Nobody here lives or trades: numbers are made up, their check digits are right."""

import random

import msgspec

from mocks.people import Subject, make_subject


def business(name: str, address: str, seed: str, *, representative: str | None = None) -> Subject:
    """Return an individual business (个体工商户) of that name."""
    return _named(make_subject(random.Random(seed), "3"), name, address, representative)


def company(name: str, address: str, seed: str, *, representative: str | None = None) -> Subject:
    """Return a company (企业法人) of that name."""
    return _named(make_subject(random.Random(seed), "1"), name, address, representative)


def person(name: str, address: str, seed: str) -> Subject:
    """Return a natural person (自然人) of that name."""
    return _named(make_subject(random.Random(seed), "2"), name, address, None)


def _named(subject: Subject, name: str, address: str, representative: str | None) -> Subject:
    telephone = subject.telephone or "13757900000"
    return msgspec.structs.replace(
        subject, name=name, address=address, telephone=telephone, representative=representative or subject.representative
    )
