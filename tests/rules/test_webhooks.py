"""Webhooks are signed so that a partner knows them for ours, and once."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import BadInput
from aggregator.rules.webhooks import is_genuine, new_secret, signed_headers
from tests.conftest import NOW

SECRET = new_secret(bytes(range(32)))
OTHER = new_secret(bytes(range(24)))
BODY = b'{"type": "brief.published", "title": "Riad"}'
SENT = signed_headers(SECRET, id="msg_1", at=NOW, body=BODY)


def test_the_headers_are_those_of_the_scheme() -> None:
    # The example of the Standard Webhooks libraries, at their moment.
    moment = NOW.fromtimestamp(1614265330, NOW.tzinfo)
    headers = signed_headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        at=moment,
        body=b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(
    random=st.binary(min_size=24, max_size=64),
    body=st.binary(),
    id=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="."), min_size=1),
    age=st.integers(-300, 300),
)
def test_a_webhook_is_known_by_its_signature(random: bytes, body: bytes, id: str, age: int) -> None:
    secret = new_secret(random)
    headers = signed_headers(secret, id=id, at=NOW - timedelta(seconds=age), body=body)
    assert is_genuine(secret, headers, body, now=NOW)


@given(bit=st.integers(0, len(BODY) * 8 - 1))
def test_a_webhook_with_one_flipped_bit_is_refused(bit: int) -> None:
    forged = bytearray(BODY)
    forged[bit // 8] ^= 1 << bit % 8
    assert not is_genuine(SECRET, SENT, bytes(forged), now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24 * 365])
def test_a_webhook_sent_again_by_a_stranger_is_refused_after_five_minutes(minutes: int) -> None:
    assert not is_genuine(SECRET, SENT, BODY, now=NOW + timedelta(minutes=minutes))


def test_a_partner_may_allow_for_a_slower_clock() -> None:
    hour = timedelta(hours=1)
    assert is_genuine(SECRET, SENT, BODY, now=NOW + hour, tolerance=hour)
    assert not is_genuine(SECRET, SENT, BODY, now=NOW + hour, tolerance=hour - timedelta(seconds=1))


def test_while_a_secret_is_replaced_one_signature_of_several_is_enough() -> None:
    old = signed_headers(OTHER, id="msg_1", at=NOW, body=BODY)
    both = SENT | {"webhook-signature": f"{old['webhook-signature']}  {SENT['webhook-signature']} v1a,x"}
    assert is_genuine(SECRET, both, BODY, now=NOW)
    assert is_genuine(OTHER, both, BODY, now=NOW)
    assert not is_genuine(SECRET, old, BODY, now=NOW)


def test_the_names_of_headers_count_in_any_case() -> None:
    shouted = {name.title(): value for name, value in SENT.items()}
    assert is_genuine(SECRET, shouted, BODY, now=NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-id": "msg.1"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": f"{NOW.timestamp()}"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": "١٧٣٩"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": SENT["webhook-signature"].removeprefix("v1,")},
        {"webhook-signature": SENT["webhook-signature"].replace("v1,", "v2,")},
        {"webhook-signature": "v1,Ер-Ріяд \ud800"},
    ],
)
def test_a_malformed_webhook_is_refused_and_not_an_error(changed: dict[str, str]) -> None:
    assert not is_genuine(SECRET, SENT | changed, BODY, now=NOW)
    assert not is_genuine(SECRET, {}, BODY, now=NOW)


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_secret_is_neither_short_nor_long(size: int) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        new_secret(bytes(size))
    with pytest.raises(BadInput, match="24 to 64 bytes"):
        is_genuine(f"whsec_{base64.b64encode(bytes(size)).decode()}", SENT, BODY, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_abc", "whsec_&&&&", "whsec_Київ", SECRET[6:]])
def test_what_is_no_secret_is_said_without_repeating_it(secret: str) -> None:
    with pytest.raises(BadInput) as refused:
        signed_headers(secret, id="msg_1", at=NOW, body=BODY)
    assert secret.removeprefix("whsec_") not in str(refused.value).split()


@pytest.mark.parametrize("id", ["", "msg.1", "msg 1", "повідомлення", "msg\n1"])
def test_an_id_that_would_blur_what_is_signed_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="id of a webhook"):
        signed_headers(SECRET, id=id, at=NOW, body=BODY)


def test_a_moment_without_time_zone_is_refused() -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no time zone"):
        signed_headers(SECRET, id="msg_1", at=naive, body=BODY)
    with pytest.raises(ValueError, match="no time zone"):
        is_genuine(SECRET, SENT, BODY, now=naive)
