"""responsible-person, read like its row in DOMAIN.md: points reach 12 -> a record for the legal representative, credit."""

from collections.abc import Sequence
from decimal import Decimal

from hub.reconcile.dozens import period_in, periods_of
from hub.reconcile.rule import Rulebook, Verdict
from hub.reconcile.rules.responsible_person import Facts, ResponsiblePerson, newest_first
from schema.commands import PostCreditRecord
from schema.entities import Approval, CodeType, CreditRecord, Obligation, ObligationState, RecordCategory
from tests.builders import DAY, OTHER_CODE, SHOP_CODE, approval, credit_profile, credit_record, observed
from tests.settable_clock import START
from tests.unit.reconcile.city import BOOK, City, held, kinds, only, taken
from tests.unit.reconcile.test_comprehensive_deduction import EXCEED, FIVE_FINDINGS

RULE = ResponsiblePerson()
PERIOD = f"{SHOP_CODE}:2019"
KEY = f"responsible-person:{PERIOD}"
CHEN, LOU = "RID-" + "c" * 64, "RID-" + "d" * 64
OLD_NUMBER = "330782000012345"
SENT = ObligationState.SENT


def derive(
    records: Sequence[CreditRecord],
    *ledger: Obligation,
    approvals: Sequence[Approval] = (approval(),),
    ours: Sequence[CreditRecord] = (),
    period: str = PERIOD,
    book: Rulebook = BOOK,
) -> Verdict:
    return RULE.derive(Facts(period_in(periods_of(records), period), newest_first(approvals), ours), ledger, book, START)


def person(verdict: Verdict) -> str | None:
    command = only(verdict).command
    return command.code if isinstance(command, PostCreditRecord) else None


def test_a_serious_subjects_representative_gets_a_record_without_points_caused_by_what_made_it_serious() -> None:
    owed = only(derive(FIVE_FINDINGS))
    assert owed.command == PostCreditRecord(
        biz_no=RULE.number(KEY),
        code=CHEN,
        code_type=CodeType.RESIDENT_ID,
        subject_name="陈𬭎",
        category=RecordCategory.RESPONSIBLE_PERSON,
        points=Decimal("0.0"),
        item_code="SERIOUS",
        item_name="2019年度监管信用扣分满12分，严重失信",
        occurred_at=START,
        department="JY",
        region="330782",
        evidence_platform="enforcement",
        evidence_ref="T-SCHOOL",
        evidence_finding="F0002",
        caused_by="BR-FINDING-0002",
    )
    assert str(owed.command.points) == "0.0"
    assert (owed.key, owed.subject_code, owed.due.at) == (KEY, SHOP_CODE, FIVE_FINDINGS[1].created_at)


def test_a_subject_that_is_not_serious_owes_none() -> None:
    assert derive([taken(1, "11.5")]).owed == ()
    assert derive([taken(1, "12")], book=EXCEED).owed == ()
    assert len(derive([taken(1, "12.5")], book=EXCEED).owed) == 1


def test_however_many_dozens_it_is_one_record_a_period() -> None:
    assert len(derive([taken(1, "60")]).owed) == 1


def test_a_natural_person_has_no_representative() -> None:
    assert derive([taken(1, "12", subject_code=LOU)], period=f"{LOU}:2019").owed == ()


def test_the_newest_approval_names_the_person_and_one_that_names_nobody_is_passed_over() -> None:
    approvals = [
        approval(approval_no="YW1", accepted_at=START - 3 * DAY),
        approval(approval_no="YW2", accepted_at=START - 2 * DAY, representative_code=LOU),
        approval(approval_no="YW3", accepted_at=START - DAY, representative_code=None),
    ]
    assert person(derive([taken(1, "12")], approvals=approvals)) == LOU
    assert person(derive([taken(1, "12")], approvals=approvals[::-1])) == LOU


def test_without_a_representative_it_waits_and_says_for_what() -> None:
    owed = only(derive([taken(1, "12")], approvals=[approval(representative_code=None)]))
    assert (owed.command, owed.needs) == (None, f"the legal representative of {SHOP_CODE}, from an approval")


def test_who_takes_over_after_it_was_sent_did_not_cause_it() -> None:
    sent = held(RULE, only(derive([taken(1, "12")])), SENT)
    successor = approval(approval_no="YW2", accepted_at=START, representative_code=LOU)
    assert person(derive([taken(1, "12")], sent, approvals=[approval(), successor])) == CHEN
    assert person(derive([taken(1, "12")], approvals=[approval(), successor])) == LOU


def test_the_platforms_record_with_our_number_is_the_proof_and_ops_is_told_of_a_cancelled_one() -> None:
    record = credit_record(biz_no=RULE.number(KEY), cancelled=True)
    verdict = derive([taken(1, "12")], ours=[record])
    assert (verdict.proven, kinds(verdict)) == ({KEY: "CR0001"}, ["cancelled-though-owed"])


# --- In the ledger ---------------------------------------------------------------------------------------------------


async def line(city: City) -> str | None:
    return (await city.lines()).get(KEY)


async def test_an_approval_that_comes_later_releases_it(city: City) -> None:
    await city.say(observed(taken(1, "12")))
    assert await line(city) == "WAITING"
    await city.say(observed(approval(representative_code=None)))
    assert await line(city) == "WAITING"
    await city.say(observed(approval(version=2)))
    assert await line(city) == "DUE"


async def test_an_approval_with_an_old_number_counts_once_the_number_has_a_code(city: City) -> None:
    await city.say(observed(approval(subject_code=None, old_number=OLD_NUMBER)), observed(taken(1, "12")))
    assert await line(city) == "WAITING"
    await city.say(observed(credit_profile(old_codes=(OLD_NUMBER,))))
    assert await line(city) == "DUE"


async def test_a_mistaken_representative_is_corrected_before_sending_and_for_ops_afterwards(city: City) -> None:
    await city.say(observed(approval()), observed(taken(1, "12")))
    await city.say(observed(approval(version=2, representative_code=LOU)))
    command = await city.command(KEY)
    assert isinstance(command, PostCreditRecord)
    assert command.code == LOU
    await city.accept(KEY)
    await city.say(observed(approval(version=3)))
    (item,) = [one for one in await city.ops() if one.kind.startswith("responsible")]
    assert (item.kind, LOU in item.message, CHEN in item.message) == ("responsible-person.changed-after-sent", True, True)


async def test_the_record_under_the_persons_code_closes_it(city: City) -> None:
    await city.say(observed(approval()), observed(taken(1, "12")))
    await city.accept(KEY)
    ours = credit_record(
        record_id="CR-P", biz_no=RULE.number(KEY), subject_code=CHEN, category=RecordCategory.RESPONSIBLE_PERSON, points=Decimal(0)
    )
    await city.say(observed(ours))
    assert await line(city) == "CLOSED"


async def test_natural_persons_are_no_candidates_of_the_sweep(city: City) -> None:
    await city.keep_silent(observed(taken(1, "12", subject_code=LOU)), observed(taken(2, "12", subject_code=OTHER_CODE)))
    assert await city.database.read(RULE.candidates(BOOK, START), "", 10) == [f"{OTHER_CODE}:2019"]
