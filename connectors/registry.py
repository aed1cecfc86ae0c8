"""Which platforms there are. A new one is one line here; contract tests and settings take it from this."""

from connectors.approval import ApprovalConnector
from connectors.base import Connector
from connectors.credit import CreditConnector
from connectors.enforcement import EnforcementConnector
from connectors.grid import GridConnector
from connectors.selfgov import SelfgovConnector
from connectors.sms import SmsConnector

CONNECTORS: dict[str, type[Connector]] = {
    connector.platform: connector
    for connector in (ApprovalConnector, CreditConnector, GridConnector, EnforcementConnector, SelfgovConnector, SmsConnector)
}
