from collections import Counter

from mocks.city_plan import Plan
from mocks.people import is_uscc
from mocks.reference import DEPARTMENTS, GRID_CATEGORIES, MATTERS


def test_exactly_the_planned_number_is_granted_beside_refused_and_revoked_ones() -> None:
    outcomes = Counter(application.outcome for application in Plan(7, 200).applications)
    assert outcomes == {"granted": 200, "refused": 20, "revoked": 4}


def test_the_same_seed_plans_the_same_city_and_another_seed_another() -> None:
    assert Plan(7, 50).applications == Plan(7, 50).applications
    assert Plan(7, 50).incidents == Plan(7, 50).incidents
    assert Plan(7, 50).applications != Plan(8, 50).applications


def test_about_half_is_granted_on_commitment_and_only_for_matters_that_allow_it() -> None:
    applications = Plan(7, 1000).applications
    commitments = [application for application in applications if application.procedure == "1"]
    allowed = {matter["code"] for matter in MATTERS if matter["commitment"] and matter["live"]}
    assert 0.45 < len(commitments) / len(applications) < 0.55
    assert {application.matter for application in commitments} <= allowed


def test_nobody_who_is_a_person_applies_often_enough_to_become_serious() -> None:
    people = Counter(application.subject.code for application in Plan(7, 1000).applications if application.subject.kind == "2")
    assert max(people.values()) <= 3


def test_old_firms_are_always_known_to_the_credit_platform_and_some_others_are_not() -> None:
    plan = Plan(7, 400)
    known = {subject.code for subject in plan.known}
    assert any(subject.old_number for subject in plan.subjects)
    assert all(subject.code in known for subject in plan.subjects if subject.old_number)
    assert 0.6 < len(known) / len(plan.subjects) < 0.95


def test_a_fifth_as_many_events_come_in_every_level_and_with_known_departments() -> None:
    incidents = Plan(7, 1000).incidents
    departments = {department["code"] for department in DEPARTMENTS}
    routes = {category["category"]: category["department"] for category in GRID_CATEGORIES}
    assert len(incidents) == 200
    assert {incident.level for incident in incidents} == {1, 2, 3, 4}
    named = [incident for incident in incidents if incident.dept_code]
    assert named
    assert {incident.dept_code for incident in named} <= departments
    assert any(incident.dept_code != routes[incident.category] for incident in named)


def test_about_a_fifth_of_the_checks_does_not_conform_and_a_few_find_nobody() -> None:
    plan = Plan(7, 10)
    outcomes = Counter(plan.check(f"YW{number}", "SCJG", person=False, commitment=False).outcome for number in range(2000))
    assert 0.15 < outcomes["nonconform"] / 2000 < 0.25
    assert 0.01 < outcomes["unreachable"] / 2000 < 0.06


def test_a_broken_commitment_has_now_and_then_no_finding_and_other_checks_always_have_one() -> None:
    plan = Plan(7, 10)

    def broken(*, commitment: bool) -> list[int]:
        visits = [plan.check(f"YW{number}", "SCJG", person=False, commitment=commitment) for number in range(1000)]
        return [len(visit.findings) for visit in visits if visit.outcome == "nonconform"]

    assert min(broken(commitment=True)) == 0
    assert min(broken(commitment=False)) == 1


def test_a_correction_only_ever_adds_an_item_that_was_not_found_before() -> None:
    plan = Plan(7, 10)
    visits = [plan.check(f"YW{number}", "JT", person=False, commitment=False) for number in range(2000)]
    corrected = [visit for visit in visits if visit.later == "finding"]
    assert corrected
    assert {visit.later for visit in visits} == {"", "finding", "remark"}
    for visit in corrected:
        assert visit.added["itemCode"] not in {finding["itemCode"] for finding in visit.findings}


def test_a_second_sending_always_finds_somebody() -> None:
    plan = Plan(7, 10)
    assert any(plan.errand(number, 1, "JT").outcome == "unreachable" for number in range(200))
    assert all(plan.errand(number, 2, "JT").outcome != "unreachable" for number in range(200))


def test_firms_for_loaded_breaches_stay_short_of_a_dozen() -> None:
    firms = Plan(7, 10).loaded_firms(1000)
    assert len(firms) == len({firm.uscc for firm in firms}) == 125
    assert all(firm.uscc and is_uscc(firm.uscc) for firm in firms)
