"""The hours in which the SMS gateway sends nothing (sms.md: 22:00 to 07:00 Beijing). Used by connectors/sms_calls.py."""

from datetime import datetime, time, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def quiet_until(now: datetime, begin: time, end: time) -> datetime | None:
    """Return when the quiet hours that `now` lies in are over, Beijing; None outside of them, or where begin and end are the same.

    The first moment of `begin` is quiet, the first of `end` is not. They may go past midnight.
    """
    local = now.astimezone(BEIJING)
    clock = local.time()
    if begin <= end:
        quiet, days = begin <= clock < end, 0
    else:
        quiet, days = clock >= begin or clock < end, int(clock >= begin)
    return datetime.combine(local.date() + timedelta(days=days), end, BEIJING) if quiet else None
