"""All that contributes, by entity: counting.py and recount.py go by this list."""

from hub.mirror.statistics.approvals import Approvals, Blacklistings, Matters
from hub.mirror.statistics.credit import CreditRecords, Repairs, SelfReports
from hub.mirror.statistics.events import Coordinations, Events
from hub.mirror.statistics.fact import Source
from hub.mirror.statistics.tasks import Tasks
from hub.mirror.statistics.watched import KeySubjects, Notices, Profiles

ALL: tuple[Source, ...] = (
    Approvals(),
    Blacklistings(),
    Coordinations(),
    CreditRecords(),
    Events(),
    KeySubjects(),
    Matters(),
    Notices(),
    Profiles(),
    Repairs(),
    SelfReports(),
    Tasks(),
)

SOURCES: dict[str, Source] = {source.entity: source for source in ALL}
"""Its keys are due.COUNTED; a test checks that."""
