"""The approval system's records (办件): from the pinyin fields of approval.md to `Approval`. Used by connectors/approval.py."""

import re
from collections.abc import Callable
from datetime import date, datetime

import msgspec

from connectors.base import Item, Quarantined
from connectors.beijing import beijing_time
from connectors.json_text import is_damaged, mended
from connectors.record_fields import (
    BadCheckDigitError,
    BadFieldError,
    Fields,
    observed,
    one_of,
    readable,
    subject_code,
    text,
    whole,
)
from schema.entities import ApplicantKind, Approval, ApprovalState, BlacklistEntry, Procedure
from schema.entity import Observation
from schema.identifiers import IdentifierError, is_identity, parse_identity, parse_registration_number, rid_code

_PROCEDURES = {"1": Procedure.COMMITMENT, "2": Procedure.STANDARD}
_KINDS = {"1": ApplicantKind.LEGAL_PERSON, "2": ApplicantKind.NATURAL_PERSON, "3": ApplicantKind.INDIVIDUAL_BUSINESS}
_DECISIONS = {"1": ApprovalState.GRANTED, "2": ApprovalState.REFUSED}
_STATES = {"01": ApprovalState.ACCEPTED, "02": None, "03": ApprovalState.REVOKED}
"""What ZT says; whether a decided one (02) was granted, SPJG says."""


class Notice(msgspec.Struct, frozen=True):
    """A callback's body; only the record matters, the query interface tells the rest."""

    msgId: object = None  # noqa: N815  (the wire's name)
    data: msgspec.Raw = msgspec.Raw(b"null")


def _day(value: object) -> str:
    """Return the day of a date, or of a time as this system writes all others; raise ValueError for anything else."""
    written = text(value)
    return (date.fromisoformat(written) if len(written) == len("yyyy-MM-dd") else beijing_time(written).date()).isoformat()


class ApprovalParser:
    """Makes records of what the platform says; holds the key that turns a person's number into the RID code."""

    def __init__(self, platform: str, exchange_key: str) -> None:
        self._platform, self._exchange_key = platform, exchange_key

    def notice(self, body: bytes, observed_at: datetime) -> Item:
        """Return what a callback's body says."""
        try:
            notice = msgspec.json.decode(mended(body), type=Notice)
        except (msgspec.ValidationError, RecursionError):
            return _bad("BAD_VALUE", "the callback is no envelope of a record", body)
        except msgspec.DecodeError:
            return _bad("NOT_JSON", "the callback is no JSON", body)
        return self.record(bytes(notice.data), observed_at)

    def record(self, raw: bytes, observed_at: datetime) -> Item:
        """Return one record, cut out of a callback or a page that was `mended`: the approval, or why it cannot be used."""
        try:
            row = msgspec.json.decode(raw, type=dict[str, object] | None)
        except (msgspec.DecodeError, RecursionError):
            return _bad("BAD_VALUE", "the record is no JSON object", raw)
        if row is None:
            return _bad("MISSING_FIELD", "field data is missing or empty", raw)
        fields = Fields(row)

        def observation() -> Observation:
            if is_damaged(raw):
                raise BadFieldError("BAD_ENCODING", "the record is no UTF-8")
            return self._observation(fields, observed_at)

        return observed(observation, entity="Approval", key=row.get("YWLSH"), content=raw)

    def blacklisted(self, raw: bytes, observed_at: datetime) -> Item:
        """Return an entry of the blacklist (告知承诺黑名单), cut out of an answer that was `mended`, or why it cannot be used."""
        row = _object(raw)
        if row is None:
            detail = "BlacklistEntry: the row is no JSON object"
            return Quarantined(reason="BAD_VALUE", detail=detail, content=raw, entity="BlacklistEntry")
        fields = Fields(row)

        def observation() -> Observation:
            if is_damaged(raw):
                raise BadFieldError("BAD_ENCODING", "the row is no UTF-8")
            return Observation(record=self._entry(fields, observed_at))

        item = observed(observation, entity="BlacklistEntry", key=row.get("wybh"), content=raw)
        return msgspec.structs.replace(item, matter_code=readable(row.get("sxbm"))) if isinstance(item, Quarantined) else item

    def _entry(self, row: Fields, observed_at: datetime) -> BlacklistEntry:
        removed_on = row.optional("ycrq", _day)
        return BlacklistEntry(
            source=self._platform,
            observed_at=observed_at,
            version=2 if removed_on else 1,
            entry_no=row.required("wybh", text),
            subject_code=row.required("dxbs", self._holder),
            matter_code=row.required("sxbm", text),
            since=row.required("rdrq", _day),
            removed_on=removed_on,
        )

    def _holder(self, value: object) -> str:
        number = text(value)
        return rid_code(number, self._exchange_key) if is_identity(number) else _uscc(number)

    def _observation(self, row: Fields, observed_at: datetime) -> Observation:
        procedure, kind = row.required("SPFS", one_of(_PROCEDURES)), row.required("SQRLX", one_of(_KINDS))
        natural = kind is ApplicantKind.NATURAL_PERSON
        state, decided_at = _decision(row)
        identity_no = row.required("SFZHM", identity_number) if natural else None
        code, old_number = (None, None) if natural else _numbers(row)
        certificate = None if natural else row.required("FRZJHM", _certificate_number)
        record = Approval(
            source=self._platform,
            observed_at=observed_at,
            version=row.required("BBH", whole()),
            approval_no=row.required("YWLSH", _at_most(32)),
            matter_code=row.required("SXBM", text),
            matter_name=row.required("SXMC", text),
            procedure=procedure,
            applicant_name=row.required("SQRMC", text),
            applicant_kind=kind,
            subject_code=code if identity_no is None else rid_code(identity_no, self._exchange_key),
            old_number=old_number,
            identity_no=identity_no,
            representative_name=None if natural else row.required("FRXM", text),
            representative_identity_no=certificate,
            representative_code=rid_code(certificate, self._exchange_key) if certificate and is_identity(certificate) else None,
            phone=row.optional("LXDH", text),
            address=row.optional("JYDZ", text),
            commitment=row.required("CNNR", text) if procedure is Procedure.COMMITMENT else row.optional("CNNR", text),
            accepted_at=row.required("SLSJ", beijing_time),
            decided_at=decided_at,
            state=state,
            department_code=row.required("BMBM", text),
            department_name=row.required("BMMC", text),
            region=row.required("XZQH", _six_digits),
            updated_at=row.required("GXSJ", beijing_time),
        )
        return Observation(record=record)


def _object(raw: bytes) -> dict[str, object] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None


def _bad(reason: str, detail: str, content: bytes) -> Quarantined:
    return Quarantined(reason=reason, detail=f"Approval: {detail}", content=content, entity="Approval")


def _decision(row: Fields) -> tuple[ApprovalState, datetime | None]:
    state = row.required("ZT", one_of(_STATES))
    if state is ApprovalState.ACCEPTED:
        return state, None
    if state is not None:
        return state, row.optional("BJSJ", beijing_time)  # one that was never decided can be revoked as well
    return row.required("SPJG", one_of(_DECISIONS)), row.required("BJSJ", beijing_time)


def _numbers(row: Fields) -> tuple[str | None, str | None]:
    code = row.optional("TYSHXYDM", _uscc)
    try:
        old_number = row.optional("ZCH", _old_number)
    except BadFieldError:
        if code is None:
            raise
        old_number = None  # not needed where the code is known
    if code is None and old_number is None:
        raise BadFieldError("MISSING_FIELD", "field TYSHXYDM is missing, and there is no old number in ZCH instead")
    return code, old_number


def identity_number(value: object) -> str:
    """Convert a resident identity number; a wrong check digit is never mended, and the number never shown."""
    number = text(value)
    try:
        return parse_identity(number)
    except IdentifierError:
        pass
    if re.fullmatch(r"[0-9]{17}[0-9Xx]", number):
        raise BadCheckDigitError("is no identity number: wrong check digit or birth date")
    raise ValueError("must be an identity number of 18 characters")


def _certificate_number(value: object) -> str:
    # FRZJHM is a 证件号: a foreign representative has a passport, so that no check digit is asked for.
    number = text(value)
    return parse_identity(number) if is_identity(number) else number


def _uscc(value: object) -> str:
    code = subject_code(value)
    if code.startswith("RID-"):
        raise ValueError("must be a unified social credit code")
    return code


def _old_number(value: object) -> str:
    try:
        return parse_registration_number(text(value))
    except IdentifierError as error:
        raise ValueError("must be an old registration number of 15 digits") from error


def _six_digits(value: object) -> str:
    region = text(value)
    if not re.fullmatch(r"[0-9]{6}", region):
        raise ValueError("must be a region code of six digits")
    return region


def _at_most(characters: int) -> Callable[[object], str]:
    def convert(value: object) -> str:
        written = text(value)
        if len(written) > characters:
            raise ValueError(f"must have at most {characters} characters")
        return written

    return convert
