"""Which subject each identifier belongs to: an index made from what platforms say and what people decide.

An identifier leads on by a merge that stands (`SubjectMerge`), else by the newest word of the credit platform (`SubjectAlias`),
else it stands for itself; the end of the way (ways.py) is its subject's code. `SubjectIdentifier` keeps the ends: a pure
function of merges and words, so that the order of arrival does not matter and an undone merge leaves no trace in it. The
mirror's own columns are never rewritten.

Called by subjects.py for what arrives and by merges.py for what people decide.
"""

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, select, union

from hub.mirror.database import insert_into, lock_names
from hub.mirror.rows import Rows, micros, moment
from hub.mirror.tables import TABLES
from hub.mirror.ways import Ways, Word, is_person, kind_of
from schema.declare import declared
from schema.entities import CreditProfile, SubjectAlias, SubjectIdentifier
from schema.entities.identity import TO_SUBJECT
from schema.entity import Mirrored, Observation
from schema.identifiers import canonical_identifier

CHUNK = 500
IDENTIFIER, ALIAS, MERGE = (TABLES[name] for name in ("SubjectIdentifier", "SubjectAlias", "SubjectMerge"))


def hold(connection: Connection) -> None:
    """Keep others from changing where identifiers lead, until the transaction ends."""
    lock_names(connection, ["subject identifiers"])


# --- What arrives ----------------------------------------------------------------------------------------------------


def know(connection: Connection, rows: Rows, observations: Iterable[Observation]) -> None:
    """Keep each identifier that records name, and what credit profiles say of earlier ones."""
    named: set[str] = set()
    words: dict[tuple[str, str], Word] = {}
    for observation in observations:
        for record in (observation.record, *observation.parts):
            named.update(_named(record))
        if isinstance(profile := observation.record, CreditProfile):
            for old in _earlier(profile):
                word = Word(micros(profile.updated_at), profile.code, profile.source)
                words[old, profile.code] = max(word, words.get((old, profile.code), word))
    news = _news(connection, words)
    if news:
        hold(connection)  # before any row of the index is written: whoever leads identifiers anew waits for nobody's row
    stand_for_themselves(connection, rows, named)
    if news:
        _hear(connection, rows, news)


def _named(record: Mirrored) -> Iterator[str]:
    """Yield the identifiers that a record names: the values that its edges pass SubjectIdentifier with."""
    for edge in declared(type(record)).edges.values():
        if edge.through == TO_SUBJECT and (value := getattr(record, edge.ours)) is not None:
            yield value


def _earlier(profile: CreditProfile) -> set[str]:
    """Return a profile's oldCodes, as we keep identifiers; a person's code is none of an enterprise, nor the other way round."""
    told = {canonical_identifier(old) for old in profile.old_codes} - {profile.code, ""}
    return {old for old in told if is_person(old) == is_person(profile.code)}


def stand_for_themselves(connection: Connection, rows: Rows, named: Iterable[str]) -> None:
    """Add identifiers that are new; those that are known stay as they are."""
    wanted = sorted(named)
    new: list[str] = []
    for chunk in _chunks(wanted):
        known = set(connection.execute(select(IDENTIFIER.c.identifier).where(IDENTIFIER.c.identifier.in_(chunk))).scalars())
        new += [each for each in chunk if each not in known]
    if new:
        values = [_row(rows, each, Ways({}, {})) for each in new]
        connection.execute(insert_into(connection, IDENTIFIER).on_conflict_do_nothing(index_elements=["identifier"]), values)


def _news(connection: Connection, words: Mapping[tuple[str, str], Word]) -> dict[tuple[str, str], Word]:
    """Return the words that are new, or newer than what we hold."""
    held: dict[tuple[str, str], int] = {}
    for chunk in _chunks(sorted({old for old, _ in words})):
        said = select(ALIAS.c.identifier, ALIAS.c.code, ALIAS.c.told_at).where(ALIAS.c.identifier.in_(chunk))
        held.update({(old, code): told_at for old, code, told_at in connection.execute(said)})
    return {key: word for key, word in sorted(words.items()) if word.told_at > held.get(key, -1)}


def _hear(connection: Connection, rows: Rows, news: Mapping[tuple[str, str], Word]) -> None:
    """Keep words, and let their identifiers lead where they lead now."""
    values = [
        rows.as_row(
            SubjectAlias(alias_id=f"{old}/{code}", identifier=old, code=code, told_by=word.told_by, told_at=moment(word.told_at))
        )
        for (old, code), word in news.items()
    ]
    insert = insert_into(connection, ALIAS)
    changed = {name: insert.excluded[name] for name in ("told_by", "told_at")}
    newer = ALIAS.c.told_at < insert.excluded.told_at
    connection.execute(insert.on_conflict_do_update(index_elements=["alias_id"], set_=changed, where=newer), values)
    lead(connection, rows, {old for old, _ in news})


# --- Where they lead -------------------------------------------------------------------------------------------------


def lead(connection: Connection, rows: Rows, changed: Iterable[str]) -> set[str]:
    """Bring the index in line for identifiers whose way may have changed, and all that lead to them; return all of these.

    The caller holds the identifiers.
    """
    concerned = _led_by(connection, changed)
    ways = ways_from(connection, concerned)
    values = [_row(rows, each, ways) for each in sorted(concerned)]
    if values:
        insert = insert_into(connection, IDENTIFIER)
        columns = {column.name: insert.excluded[column.name] for column in IDENTIFIER.c if column.name != "identifier"}
        connection.execute(insert.on_conflict_do_update(index_elements=["identifier"], set_=columns), values)
    return concerned


def ways_from(connection: Connection, identifiers: Iterable[str]) -> Ways:
    """Return all words and merges on the ways of these identifiers: two statements for each step of the longest."""
    words: dict[str, Word] = {}
    merges: dict[str, tuple[str, str]] = {}
    seen: set[str] = set()
    here = set(identifiers)
    while here:
        seen |= here
        further: set[str] = set()
        for chunk in _chunks(sorted(here)):
            said = select(ALIAS.c.identifier, ALIAS.c.told_at, ALIAS.c.code, ALIAS.c.told_by).where(ALIAS.c.identifier.in_(chunk))
            for old, *word in connection.execute(said):
                words[old] = max(Word(*word), words.get(old, Word(*word)))
                further.add(words[old].code)
            stands = (MERGE.c.from_identifier.in_(chunk)) & MERGE.c.undone_at.is_(None)
            for old, merge_id, code in connection.execute(
                select(MERGE.c.from_identifier, MERGE.c.merge_id, MERGE.c.into_code).where(stands)
            ):
                merges[old] = merge_id, code
                further.add(code)
        here = further - seen
    return Ways(words, merges)


def _led_by(connection: Connection, identifiers: Iterable[str]) -> set[str]:
    """Return identifiers and all whose way passes one of them: one statement for each step of the longest."""
    found: set[str] = set()
    here = set(identifiers)
    while here:
        found |= here
        leading: set[str] = set()
        for chunk in _chunks(sorted(here)):
            told = select(ALIAS.c.identifier).where(ALIAS.c.code.in_(chunk))
            merged = select(MERGE.c.from_identifier).where(MERGE.c.into_code.in_(chunk), MERGE.c.undone_at.is_(None))
            leading.update(connection.execute(union(told, merged)).scalars())
        here = leading - found
    return found


def _row(rows: Rows, identifier: str, ways: Ways) -> dict[str, object]:
    word, merge = ways.words.get(identifier), ways.merges.get(identifier)
    return rows.as_row(
        SubjectIdentifier(
            identifier=identifier,
            kind=kind_of(identifier),
            code=ways.subject_of(identifier),
            credit_code=ways.credit_code_of(identifier),
            told_by=word.told_by if word else None,
            told_code=word.code if word else None,
            told_at=moment(word.told_at) if word else None,
            merge_id=merge[0] if merge else None,
        )
    )


def identifiers_of(connection: Connection, identifier: str) -> frozenset[str]:
    """Return every identifier of the subject that one names now, that one among them."""
    codes = select(IDENTIFIER.c.code).where(IDENTIFIER.c.identifier == identifier)
    known = select(IDENTIFIER.c.identifier).where(IDENTIFIER.c.code.in_(codes))
    return frozenset({identifier, *connection.execute(known).scalars()})


def credit_codes(connection: Connection, identifiers: Iterable[str]) -> dict[str, str]:
    """Return the code that the credit platform has for each identifier, where there is one."""
    found: dict[str, str] = {}
    for chunk in _chunks(sorted(set(identifiers))):
        here = IDENTIFIER.c.identifier.in_(chunk) & IDENTIFIER.c.credit_code.is_not(None)
        known = select(IDENTIFIER.c.identifier, IDENTIFIER.c.credit_code).where(here)
        found.update((identifier, code) for identifier, code in connection.execute(known))
    return found


def credit_names(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """Return all identifiers for which the credit platform has one of these codes, each with that code."""
    found: dict[str, str] = {}
    for chunk in _chunks(sorted(set(codes))):
        named = select(IDENTIFIER.c.identifier, IDENTIFIER.c.credit_code).where(IDENTIFIER.c.credit_code.in_(chunk))
        found.update((identifier, code) for identifier, code in connection.execute(named))
    return found


def codes_told(connection: Connection, identifiers: Iterable[str]) -> set[str]:
    """Return all codes that the credit platform ever said these identifiers to be earlier ones of."""
    found: set[str] = set()
    for chunk in _chunks(sorted(set(identifiers))):
        found.update(connection.execute(select(ALIAS.c.code).where(ALIAS.c.identifier.in_(chunk))).scalars())
    return found


def accounts_of(connection: Connection, codes: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return each code's present code on the credit platform (itself where nobody knows another), and all identifiers of these
    present codes, each with its code. What one code is told does not depend on which others are asked for with it."""
    wanted = set(codes)
    present = {code: code for code in wanted} | credit_codes(connection, wanted)
    themselves = {code: code for code in present.values()}
    return present, themselves | credit_names(connection, themselves)


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
