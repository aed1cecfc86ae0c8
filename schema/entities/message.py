"""What became of short messages, as the SMS gateway reports it (短信回执)."""

from enum import Enum
from typing import Annotated

from schema.declare import Indexed, Instant, Personal, Says, to_many
from schema.entity import Mirrored, entity


class DeliveryStatus(Enum):
    """Whether a short message reached its telephone (回执状态)."""

    DELIVRD = "DELIVRD"
    UNDELIV = "UNDELIV"
    EXPIRED = "EXPIRED"
    REJECTD = "REJECTD"


@entity("Whether a short message reached its telephone", "短信回执", key="message_no")
class SmsReceipt(Mirrored, frozen=True):
    """SMS gateway, receipt; it adds to an obligation's proof and never is one. Its version is `time` in seconds."""

    message_no: Annotated[str, Says("The gateway's number of the message", "短信编号 taskid")]
    phone: Annotated[str, Personal("phone"), Says("Telephone, masked", "手机号 mobile")]
    status: Annotated[DeliveryStatus, Indexed(), Says("What became of it", "回执状态 status")]
    reported_at: Annotated[Instant, Indexed(), Says("When the gateway knew", "回执时间 time")]

    obligations = to_many("Obligation", "Notice that it carried", "应办事项", ours="message_no", theirs="receipt")
