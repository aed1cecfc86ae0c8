"""connectors/signing.py. The expected values were made with `openssl dgst` from the texts of the pages."""

import pytest
from pydantic import SecretStr

from connectors.signing import approval_signature, matching_secret, sm3_hex, standard_webhook_key, standard_webhook_signature


def test_sm3_gives_the_standards_own_example() -> None:
    # GB/T 32905-2016, A.1
    assert sm3_hex(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_an_approval_signature_covers_the_canonical_text() -> None:
    # T="appKey=bihuan&body=$(printf %s "$B" | openssl dgst -sm3 -r | cut -d' ' -f1)&nonce=...&path=...&timestamp=..."
    # printf %s "$T" | openssl dgst -sm3 -mac HMAC -macopt key:approval-secret
    made = approval_signature(
        "approval-secret",
        app_key="bihuan",
        body=b'{"gxsjq":"2019-08-15 00:00:00"}',
        nonce="0123456789abcdef",
        path="/api/spsl/list",
        timestamp="1565834400000",
    )
    assert made == "bb1bd1591d80cfc0a7ba1002080290ec53ea259c52995958ede8f1f560f1351e"


@pytest.mark.parametrize("secret", ["whsec_Y3JlZGl0LXdlYmhvb2sta2V5", "Y3JlZGl0LXdlYmhvb2sta2V5"])
def test_a_standard_webhook_signature_covers_id_time_and_body(secret: str) -> None:
    # printf %s 'msg_1.1565834400.{...}' | openssl dgst -sha256 -mac HMAC -macopt key:credit-webhook-key -binary | base64
    made = standard_webhook_signature(secret, message_id="msg_1", timestamp="1565834400", body=b'{"type":"subject.updated"}')
    assert made == "v1,oFqDFgHHajZwpe5J9fB8PKe1LCGWbJBR+NdPFHH/Lxg="


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_", ""])
def test_a_webhook_secret_that_is_no_key_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="Standard Webhooks secret") as refused:
        standard_webhook_key(secret)
    assert "not base64" not in str(refused.value)


def test_the_newest_of_the_secrets_that_match_is_named() -> None:
    secrets = [SecretStr("a"), SecretStr("b"), SecretStr("c")]
    assert matching_secret(secrets, lambda secret: f"by {secret}", ["by c", "by b"]) == 1
    assert matching_secret(secrets, lambda secret: f"by {secret}", ["by x"]) is None
    assert matching_secret(secrets, lambda secret: f"by {secret}", []) is None
