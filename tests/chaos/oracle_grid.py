"""Grid events and coordinations: each sending has a task and an answer, each coordination reaches its town and comes back."""

from collections.abc import Iterator, Sequence

from mocks.reference import GRID_CATEGORIES
from mocks.store import Document
from tests.chaos.picture import Picture

ROUTES = {one["category"]: one["department"] for one in GRID_CATEGORIES}
ANSWERED = {"handled": {"40", "50"}, "returned": {"60", "20"}, "transferred": {"70", "50"}}


def route_of(event: Document) -> str | None:
    """Return the department that an event is for: the one that it names, else its category's."""
    return event["deptCode"] or ROUTES.get(event["category"])


def result_of(task: Document) -> str | None:
    """Return what the town is to be told of a check; None while it goes on."""
    results = task["results"]
    if task["status"] == "TRANSFERRED" or (task["status"] == "DONE" and any(one["transferredTo"] for one in results)):
        return "transferred"
    if task["status"] == "CANCELLED":
        return "returned"
    if task["status"] != "DONE":
        return None
    return "returned" if results and all(one["conclusion"] == "UNREACHABLE" for one in results) else "handled"


def _words(task: Document) -> str:
    """Return what the town reads: what the officers wrote, or where it went."""
    if result_of(task) == "transferred":
        return "、".join(one["transferredTo"] for one in task["results"] if one["transferredTo"])
    return "；".join(one["remarks"] for one in task["results"])


def dispatched(picture: Picture) -> Iterator[str]:
    """Each sending has one task, for the right department, and is accepted with it."""
    for no, event in picture.all("grid", "event").items():
        versions, tasks = picture.versions("grid", "event", no), picture.tasks("grid", no)
        sendings = _sendings(versions)
        wanted = len([one for one in sendings if route_of(one[-1]) is not None])
        if len(tasks) > len(sendings):
            yield f"event {no} was sent {len(sendings)} times and has {len(tasks)} tasks"
        if len(tasks) < wanted:
            yield f"event {no} was sent {len(sendings)} times and has {len(tasks)} tasks"
        for task, sent in zip(tasks, sendings, strict=False):
            if task["department"] not in {route_of(each) for each in sent}:
                yield f"task {task['taskId']} of event {no} is for {task['department']}, not {route_of(sent[-1])}"
            if task["type"] != "GRID":
                yield f"task {task['taskId']} of event {no} is {task['type']}"
        if event["status"] == "20" and route_of(event) is not None:
            yield f"event {no} waits for the hub"
        named = {each["category"] for each in versions if each["status"] == "20" and route_of(each) is None}
        if event["status"] == "20" and named and not picture.items("no-route", no):
            yield f"event {no} has no route, and ops does not know"
        differ = event["status"] in {"20", "30"} and event["deptCode"] and ROUTES.get(event["category"], event["deptCode"])
        if differ and differ != event["deptCode"] and len(versions) < 4 and not picture.items("department-differs", no):
            yield f"event {no} is for {event['deptCode']}, its category for {differ}, and ops does not know"


def _sendings(versions: Sequence[Document]) -> list[list[Document]]:
    """Return, of each sending of an event, the versions in which it waited for the hub."""
    sendings, before = list[list[Document]](), "10"
    for each in versions:
        if each["status"] == "20":
            sendings += [[]] if before != "20" else []
            sendings[-1].append(each)
        before = each["status"]
    return sendings


def answered(picture: Picture) -> Iterator[str]:
    """The town was told what came of each task, once; what a corrected task says later ops knows."""
    for no, event in picture.all("grid", "event").items():
        tasks = picture.tasks("grid", no)
        for task in tasks:
            handling = picture.versions("grid", "handling", task["taskId"])
            if not handling:
                yield f"event {no} was never accepted with task {task['taskId']}"
                continue
            feedback, wanted = handling[-1]["feedback"], result_of(task)
            if feedback is None and wanted is not None:
                yield f"event {no}: task {task['taskId']} has ended ({wanted}), and the town was not told"
            if feedback is not None:
                yield from _feedback(picture, no, task, feedback)
        last = picture.versions("grid", "handling", tasks[-1]["taskId"])[-1:] if tasks else ()
        said = last[0]["feedback"]["result"] if last and last[0]["feedback"] else None
        if said and event["status"] not in ANSWERED[said]:
            yield f"event {no} is {event['status']}, the town was told {said}"


def _feedback(picture: Picture, no: str, task: Document, feedback: Document) -> Iterator[str]:
    told, now = (feedback["result"], feedback["opinion"]), (result_of(task), _words(task))
    ever = [(result_of(each), _words(each)) for each in picture.versions("enforcement", "task", task["taskId"])]
    if not any(_says(told, each) for each in ever):
        yield f"event {no}: the town was told {told}, which task {task['taskId']} never said"
    elif not _says(told, now):
        items = picture.items("grid-feedback.changed-after-sent") + picture.items("grid-feedback.withdrawn-after-sent")
        before = [one for one in items if (one.before.get("task_id"), one.before.get("opinion")) == (task["taskId"], told[1])]
        if not any(_says((one.after.get("result"), one.after.get("opinion")), now) for one in before):
            yield f"event {no}: the town was told {told}, task {task['taskId']} says {now}, and ops does not know"


def _says(told: tuple[str | None, str | None], said: tuple[str | None, str]) -> bool:
    return told[0] == said[0] and said[1] in (told[1] or "")


def coordinated(picture: Picture) -> Iterator[str]:
    """Each coordination reaches its town once, and what the town did last comes back."""
    at_towns = picture.all("grid", "coordination")
    for number, asked in picture.all("enforcement", "coordination").items():
        found = [one for one in at_towns.values() if one["content"] == asked["content"]]
        if len(found) != 1:
            yield f"coordination {number} is {len(found)} times at its town"
            continue
        town = found[0]
        same = [(town["deptCode"], asked["department"]), (town["town"], asked["town"]), (town["category"], asked["category"])]
        if any(there != here for there, here in same):
            yield f"coordination {number} is at its town as {town}"
        feedback = picture.all("enforcement", "coordination feedback").get(number)
        wanted = (town["no"], "handled", town["opinion"]) if town["status"] == "40" else None
        if wanted != ((feedback["gridNo"], feedback["result"], feedback["opinion"]) if feedback else None):
            yield f"coordination {number}: its town says {wanted}, the department was told {feedback}"
    if len(at_towns) > len(picture.all("enforcement", "coordination")):
        yield f"{len(at_towns)} coordinations are at towns"


def waiting(picture: Picture) -> Iterator[str]:
    """Return the keys of the task, and the acceptance, of events that have no route."""
    for no, event in picture.all("grid", "event").items():
        if event["status"] == "20" and route_of(event) is None:
            sending = len(_sendings(picture.versions("grid", "event", no)))
            yield from (f"grid-dispatch:{no}:{sending}/1", f"grid-dispatch:{no}:{sending}/2")


RULES = (dispatched, answered, coordinated)
