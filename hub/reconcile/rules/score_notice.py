"""A record that takes points is told to its subject (扣分告知): a short message, and an entry on the subject's own list.

Key: credit record. Two platforms, so two obligations that do not wait for each other: `/1` the short message to the telephone
of the subject's newest approval, `/2` the entry of zz_score, open. Due at once, the message in sending hours (deadlines.toml).
Proof: the gateway's receipt; the entry with the record's bizNo in the mirror.

A message is owed only while the record can be repaired: it says how and until when. Without a mobile telephone there is the
entry alone, and ops is told; once an approval names one, the message is owed. What was sent stays sent: a telephone that
changes afterwards is no correction. A record that is cancelled withdraws what was not sent, and is ops' matter otherwise.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from hub.mirror import score_queries, subjects
from hub.mirror.ops_list import Trouble
from hub.mirror.rows import Rows, content_of
from hub.reconcile.rule import Changes, Owed, Rule, Rulebook, Verdict, said_in
from hub.reconcile.score import PLACES, can_be_repaired, chain_of, entry_of, message_of, plain, takes_points
from hub.reconcile.standing import may_exist
from schema.commands import AnyCommand, PutScore, SendSms
from schema.entities import Approval, CreditProfile, CreditRecord, Obligation, ObligationState, ScoreEntry, ScoreState
from schema.entity import Observation
from schema.identifiers import mobile_of

NAME = "score-notice"
NO_TELEPHONE = "no-telephone"


class Facts(NamedTuple):
    """A credit record, its entry on the subject's list, and the telephone of the subject's newest approval."""

    record: CreditRecord
    entry: ScoreEntry | None
    phone: str | None


def key_for(record_id: str) -> str:
    """Return the key of a record's notice, without the /1 and /2 of its two platforms."""
    return f"{NAME}:{record_id}"


class ScoreNotice(Rule[Facts]):
    """A credit record takes points from a subject -> SMS and zz_score; key: credit record."""

    name = NAME
    prefix = "SN"
    cause_entity = "CreditRecord"

    def causes(self, observation: Observation) -> Iterable[str]:
        """A credit record."""
        record = observation.record
        return [record.record_id] if isinstance(record, CreditRecord) else []

    def linked(self, connection: Connection, rows: Rows, changes: Changes) -> Iterable[str]:
        """Records whose entry was seen, and those not told of whose subject has a new approval or an old number."""
        said = [each.record for each in said_in(changes)]
        entries = [one.biz_no for one in said if isinstance(one, ScoreEntry)]
        approvals = [one for one in said if isinstance(one, Approval) and one.phone]
        old = subjects.codes_for(connection, [one.old_number for one in approvals if one.old_number and not one.subject_code])
        codes = [one.subject_code or old.get(one.old_number or "", "") for one in approvals]
        codes += [one.code for one in said if isinstance(one, CreditProfile) and one.old_codes]
        return {
            *score_queries.records_numbered(connection, entries),
            *score_queries.records_to_tell_of(connection, NAME, filter(None, codes)),
        }

    def load(self, connection: Connection, rows: Rows, causes: Sequence[str]) -> dict[str, Facts]:
        """Return records with entry and telephone."""
        found = score_queries.scores(connection, rows, causes)
        phones = score_queries.phones_of(connection, rows, [one.record.subject_code for one in found.values()])
        return {key: Facts(one.record, one.entry, phones.get(one.record.subject_code)) for key, one in found.items()}

    def derive(self, facts: Facts, ledger: Sequence[Obligation], book: Rulebook, now: datetime) -> Verdict:
        """Owe the entry for every record that takes points, the message while it can be repaired and somebody can be reached."""
        record, key = facts.record, key_for(facts.record.record_id)
        proven = {f"{key}/2": record.biz_no} if facts.entry else {}
        # Nobody is told any more to reach a subject once a message is owed, or nothing is left to tell.
        reached = any(one.key == f"{key}/1" and one.state is not ObligationState.WITHDRAWN for one in ledger)
        over = frozenset() if reached else frozenset({(NO_TELEPHONE, record.record_id)})
        if not takes_points(record):
            return Verdict(version=record.version, proven=proven, mended=over)
        sent = frozenset(one.key for one in ledger if one.key == f"{key}/1" and may_exist(one))
        owed, troubles = [self._entry(record, book)], []
        if not sent and can_be_repaired(record, book.policy, now):
            mobile = mobile_of(facts.phone or "")
            if mobile is None:
                troubles.append(_no_telephone(facts))
            else:
                owed.append(self._message(record, mobile, book))
        return Verdict(
            version=record.version,
            owed=tuple(owed),
            keep=sent,
            proven=proven,
            troubles=tuple(troubles),
            mended=frozenset() if troubles else over,
        )

    def _message(self, record: CreditRecord, mobile: str, book: Rulebook) -> Owed:
        key = f"{key_for(record.record_id)}/1"
        return Owed(
            key=key,
            platform="sms",
            kind="SendSms",
            command=SendSms(ext_no=self.number(key), mobile=mobile, content=message_of(record, book.policy)),
            due=book.policy.due(NAME, "sms", record.created_at),
            subject_code=record.subject_code,
        )

    def _entry(self, record: CreditRecord, book: Rulebook) -> Owed:
        return Owed(
            key=f"{key_for(record.record_id)}/2",
            platform="selfgov",
            kind="PutScore",
            command=entry_of(record, ScoreState.OPEN, book.policy),
            due=book.policy.due(NAME, None, record.created_at),
            subject_code=record.subject_code,
            chain=chain_of(record),
            place=PLACES[ScoreState.OPEN],
        )

    def material(self, command: AnyCommand) -> str | None:
        """Points, item and subject of the entry. A message cannot be taken back, nor does a new telephone make it wrong."""
        if not isinstance(command, PutScore):
            return None
        return f"{plain(command.points)} points for {command.item_code} of {command.code}"

    def shows(self, facts: Facts) -> str | None:
        """The credit record."""
        return content_of(facts.record).decode()

    def unsettled(self, connection: Connection, after: str, limit: int) -> list[str]:
        """Records that take points and were not told of."""
        return score_queries.notices_unsettled(connection, NAME, after, limit)


def _no_telephone(facts: Facts) -> Trouble:
    record = facts.record
    why = "names one that takes no short messages" if facts.phone else "is not there or names none"
    return Trouble(
        kind=NO_TELEPHONE,
        cause=record.record_id,
        subject_code=record.subject_code,
        message=f"credit record {record.record_id}: no mobile telephone of {record.subject_code} is known "
        f"(its newest approval {why}); tell the subject of its {plain(record.points)} points in another way, "
        "or let an approval name a mobile telephone",
    )
