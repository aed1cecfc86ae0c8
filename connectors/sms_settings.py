"""What the SMS connector can be told (HUB_SMS_<FIELD>)."""

from datetime import time
from typing import Annotated

from pydantic import Field, SecretStr

from connectors.http import HttpSettings


class SmsSettings(HttpSettings):
    """Settings of the SMS gateway."""

    account: str = Field(min_length=1, description="Our account at the gateway")
    secrets: tuple[Annotated[SecretStr, Field(min_length=1)], ...] = Field(
        min_length=1, description="Secrets of the account, the newest first, comma separated: two during a key change"
    )
    quiet_from: time = Field(time(22), description="Beijing time from which the gateway sends nothing, HH:MM; no call is made")
    quiet_until: time = Field(time(7), description="Beijing time at which it sends again, HH:MM; as quiet_from: no quiet hours")
    clock_tolerance_seconds: float = Field(600.0, gt=0, description="Seconds that the time of a call may be off at the gateway")
    quiet_again_seconds: float = Field(
        600.0, gt=0, description="Seconds to wait after the gateway refused for quiet hours where no clock shows any"
    )
    balance_seconds: float = Field(1800.0, gt=0, description="Seconds between two tries of a message while the balance is empty")
    repeat_seconds: float = Field(5.0, ge=0, description="Seconds before an unanswered call is repeated; extno makes that safe")
