"""Hub, publisher and subscriber understand one another, and no stranger."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import FeedsError, WebSubError
from feeds.model import Link
from feeds.websub import (
    Denial,
    Hubs,
    PublishRequest,
    SubscriptionRequest,
    Verification,
    denial_url,
    discover,
    is_genuine,
    publish_form,
    read_link_header,
    read_request,
    read_verification,
    sign,
    subscription_form,
    verification_url,
)
from feeds.websub.signatures import Algorithm

TOPIC = "https://desk.example/channels/talks.atom"
CALLBACK = "https://reader.example/push/5c1f?feed=7&tag=a%20b"
HUB = "https://desk.example/hub"
DAY = timedelta(days=1)
FORM = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.callback": CALLBACK}
BODY = "<feed>Riad, Ер-Ріяд</feed>".encode()

algorithms: st.SearchStrategy[Algorithm] = st.sampled_from(["sha256", "sha384", "sha512"])
secrets = st.text(min_size=1).filter(lambda text: text.isprintable())
words = st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=20)
tokens = st.from_regex(r"[a-z][a-z0-9.-]{0,8}", fullmatch=True)


@given(body=st.binary(), secret=secrets, algorithm=algorithms)
def test_a_delivery_is_known_by_its_signature(body: bytes, secret: str, algorithm: Algorithm) -> None:
    header = sign(body, secret, algorithm=algorithm)
    assert is_genuine(header, body, secret)
    assert is_genuine(f" {header.upper()} ", body, secret)
    assert not is_genuine(header, body, secret + "x")


@given(bit=st.integers(0, len(BODY) * 8 - 1))
def test_a_delivery_with_one_flipped_bit_is_refused(bit: int) -> None:
    forged = bytearray(BODY)
    forged[bit // 8] ^= 1 << bit % 8
    assert not is_genuine(sign(BODY, "secret"), bytes(forged), "secret")


@given(bit=st.integers(0, 255))
def test_a_signature_with_one_flipped_bit_is_refused(bit: int) -> None:
    method, _, digits = sign(BODY, "secret").partition("=")
    assert not is_genuine(f"{method}={int(digits, 16) ^ 1 << bit:064x}", BODY, "secret")


def test_the_signature_is_the_hmac_that_every_subscriber_computes() -> None:
    digest = hmac.new(b"secret", BODY, hashlib.sha256).hexdigest()
    assert sign(BODY, "secret") == f"sha256={digest}"


def test_sha1_is_refused_even_where_it_fits() -> None:
    assert not is_genuine(f"sha1={hmac.new(b's', BODY, hashlib.sha1).hexdigest()}", BODY, "s")


@given(header=st.none() | st.text(st.characters(exclude_categories=[])) | st.text().map("sha256={}".format))
def test_a_malformed_signature_is_refused_and_not_an_error(header: str | None) -> None:
    assert not is_genuine(header, BODY, "secret")


def test_nothing_is_signed_with_an_empty_secret() -> None:
    with pytest.raises(ValueError, match="signs nothing"):
        sign(BODY, "")
    anybody = f"sha256={hmac.new(b'', BODY, hashlib.sha256).hexdigest()}"
    assert not is_genuine(anybody, BODY, "")


def test_nothing_is_signed_with_another_algorithm() -> None:
    with pytest.raises(ValueError, match="sha1 is not among"):
        sign(BODY, "secret", algorithm="sha1")  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["subscribe", "unsubscribe"])
def test_a_hub_reads_what_a_subscriber_posts(mode: str) -> None:
    form = FORM | {"hub.mode": mode, "hub.lease_seconds": "00086400", "hub.secret": "s", "more": "ignored"}
    lease = DAY if mode == "subscribe" else None
    assert read_request(form) == SubscriptionRequest(mode, TOPIC, CALLBACK, lease, "s")  # type: ignore[arg-type]


@given(
    days=st.none() | st.integers(1, 3650),
    secret=st.none() | secrets.filter(lambda text: len(text.encode()) < 200),
    query=words.map(lambda text: "".join(text.split("#")).replace(" ", "+")),
)
def test_a_hub_understands_every_form_a_subscriber_makes(
    days: int | None, secret: str | None, query: str
) -> None:
    lease = None if days is None else timedelta(days=days)
    callback = f"https://reader.example/push?{query}"
    form = subscription_form(TOPIC, callback, mode="subscribe", lease=lease, secret=secret)
    assert read_request(form) == SubscriptionRequest("subscribe", TOPIC, callback, lease, secret)


def test_a_subscriber_that_asks_for_nothing_special_leaves_it_to_the_hub() -> None:
    assert read_request(FORM | {"hub.lease_seconds": "", "hub.secret": ""}) == SubscriptionRequest(
        "subscribe", TOPIC, CALLBACK
    )


@pytest.mark.parametrize("seconds", ["999999999", "1" + "0" * 9, "9" * 5000])
def test_a_lease_without_end_is_ten_years(seconds: str) -> None:
    request = read_request(FORM | {"hub.lease_seconds": seconds})
    assert isinstance(request, SubscriptionRequest)
    assert request.lease == timedelta(days=3650)


def test_a_secret_does_not_get_into_the_log() -> None:
    assert "geheim" not in repr(read_request(FORM | {"hub.secret": "geheim"}))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hub.mode": ""}, 'hub.mode must be "subscribe", "unsubscribe" or "publish", not \'\'.'),
        ({"hub.mode": "s" * 5000}, "not 'ssss"),
        ({"hub.callback": ""}, "hub.callback is missing"),
        ({"hub.topic": ""}, "hub.topic is missing"),
        ({"hub.callback": "ftp://reader.example/"}, "hub.callback must be an http or https address"),
        ({"hub.topic": "javascript:alert(1)"}, "hub.topic must be an http or https address"),
        ({"hub.callback": "/push"}, "hub.callback must be"),
        ({"hub.callback": "http://"}, "hub.callback must be"),
        ({"hub.callback": "http://[::1"}, "hub.callback must be"),
        ({"hub.callback": "https://київ.example/"}, "in ASCII"),
        ({"hub.callback": "https://reader.example/a b"}, "hub.callback must be"),
        ({"hub.callback": "https://reader.example/\r\nX: y"}, "hub.callback must be"),
        ({"hub.callback": f"{CALLBACK}#top"}, "leave out the #"),
        ({"hub.callback": "https://me:pw@reader.example/"}, "has a login"),
        ({"hub.callback": f"https://reader.example/{'x' * 2000}"}, "has 2023 characters: send at most 2000"),
        ({"hub.topic": f"https://desk.example/{'x' * 2000}"}, "send at most 2000"),
        ({"hub.secret": "s" * 200}, "hub.secret has 200 bytes: send at most 199"),
        ({"hub.secret": "é" * 100}, "hub.secret has 200 bytes"),
        ({"hub.lease_seconds": "0"}, "positive whole number, not '0'"),
        ({"hub.lease_seconds": "-5"}, "positive whole number"),
        ({"hub.lease_seconds": "1.5"}, "positive whole number"),
        ({"hub.lease_seconds": "٣٠"}, "positive whole number"),
        ({"hub.mode": "publish", "hub.topic": "", "hub.url": ""}, "hub.url is missing"),
        ({"hub.mode": "publish", "hub.url": "here"}, "hub.url must be"),
    ],
)
def test_a_hub_says_what_to_send_instead(changed: dict[str, str], said: str) -> None:
    with pytest.raises(WebSubError) as refused:
        read_request(FORM | changed)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 250
    assert isinstance(refused.value, FeedsError)


def test_a_hub_hears_of_a_change_by_either_name() -> None:
    assert read_request(publish_form(TOPIC)) == PublishRequest((TOPIC,))
    assert read_request({"hub.mode": "publish", "hub.topic": TOPIC}) == PublishRequest((TOPIC,))
    both = {"hub.mode": "publish", "hub.url": HUB, "hub.topic": TOPIC}
    assert read_request(both) == PublishRequest((HUB, TOPIC))


@pytest.mark.parametrize(
    "path", ["", "/", "/push", "/push?", "/push?feed=7&tag=a%20b&hub.mode=denied&x=[]&x=%2B+"]
)
def test_the_query_of_a_callback_stays_as_it_is(path: str) -> None:
    callback = f"https://reader.example{path}"
    request = SubscriptionRequest("subscribe", TOPIC, callback)
    url = verification_url(request, "a+b/ü", DAY)
    assert url.startswith(callback)
    assert parse_qsl(urlsplit(url).query)[-4:] == [
        ("hub.mode", "subscribe"),
        ("hub.topic", TOPIC),
        ("hub.challenge", "a+b/ü"),
        ("hub.lease_seconds", "86400"),
    ]


def test_a_subscriber_understands_the_question_of_a_hub() -> None:
    for mode, lease in (("subscribe", DAY), ("unsubscribe", None)):
        request = SubscriptionRequest(mode, TOPIC, CALLBACK)  # type: ignore[arg-type]
        asked = dict(parse_qsl(urlsplit(verification_url(request, "c", lease)).query))
        assert asked["tag"] == "a b"
        assert read_verification(asked) == Verification(mode, TOPIC, "c", lease)  # type: ignore[arg-type]


def test_a_subscription_is_not_verified_without_a_lease() -> None:
    with pytest.raises(ValueError, match=r"5\.3"):
        verification_url(SubscriptionRequest("subscribe", TOPIC, CALLBACK), "c", None)
    with pytest.raises(ValueError, match="a second at least"):
        verification_url(SubscriptionRequest("subscribe", TOPIC, CALLBACK), "c", timedelta(0))


@pytest.mark.parametrize("reason", ["", "Such a feed is not here."])
def test_a_subscriber_understands_a_denial(reason: str) -> None:
    url = denial_url(SubscriptionRequest("subscribe", TOPIC, CALLBACK), reason)
    assert url.startswith(f"{CALLBACK}&hub.mode=denied")
    assert read_verification(dict(parse_qsl(urlsplit(url).query))) == Denial(TOPIC, reason)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, "hub.topic is missing"),
        ({"hub.topic": TOPIC}, "hub.mode must be"),
        ({"hub.topic": TOPIC, "hub.mode": "subscribe"}, "hub.challenge is missing"),
        (
            {"hub.topic": TOPIC, "hub.mode": "subscribe", "hub.challenge": "c", "hub.lease_seconds": "ever"},
            "positive whole number",
        ),
    ],
)
def test_a_subscriber_refuses_what_no_hub_asks(query: dict[str, str], said: str) -> None:
    with pytest.raises(WebSubError, match=said):
        read_verification(query)


def test_a_hub_that_tells_no_lease_is_still_understood() -> None:
    # Hubs from before the Recommendation leave it out.
    asked = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "c"}
    assert read_verification(asked) == Verification("subscribe", TOPIC, "c", None)
    assert read_verification(asked | {"hub.mode": "unsubscribe", "hub.lease_seconds": "x"}) == Verification(
        "unsubscribe", TOPIC, "c", None
    )


def test_a_feed_names_its_hubs_in_its_document() -> None:
    links = [Link(TOPIC, "self"), Link(HUB, "hub"), Link("/hub", "HUB"), Link("https://big.example/", "hub")]
    assert discover(links, None, base_url=f"{TOPIC}?x=1") == Hubs(TOPIC, (HUB, "https://big.example/"))


def test_a_link_header_wins_over_the_document() -> None:
    links = [Link("https://old.example/feed", "self"), Link("https://old.example/hub", "hub")]
    header = f'<{TOPIC}>; rel="self", <{HUB}>; rel="hub"'
    assert discover(links, header, base_url=TOPIC) == Hubs(TOPIC, (HUB,))


def test_a_link_header_without_a_hub_leaves_the_document_the_word() -> None:
    links = [Link(HUB, "hub")]
    header = f'<{TOPIC}>; rel="self"'
    assert discover(links, header, base_url=f"{TOPIC}?x=1") == Hubs(TOPIC, (HUB,))
    assert discover([Link(TOPIC, "self")], f"<{HUB}>;rel=hub", base_url=HUB) == Hubs(TOPIC, (HUB,))


def test_a_feed_without_self_link_is_subscribed_at_its_address() -> None:
    assert discover([Link(HUB, "hub")], None, base_url=TOPIC) == Hubs(TOPIC, (HUB,))


@pytest.mark.parametrize(
    "header", [None, "", "<>", "nonsense", f'<{TOPIC}>; rel="self"', "<ftp://x/>; rel=hub"]
)
def test_a_feed_without_hub_has_none(header: str | None) -> None:
    assert discover([Link(TOPIC)], header, base_url=TOPIC) is None


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("<hub>; rel=hub", [(f"{TOPIC.rpartition('/')[0]}/hub", "hub")]),
        ("<>;rel=self", [(TOPIC, "self")]),
        ("<//hub.example/>; REL=Hub", [("https://hub.example/", "hub")]),
        (f'<{HUB}>; rel="hub  self"', [(HUB, "hub"), (HUB, "self")]),
        (f'<{HUB}>; title="a, <b>; rel=self"; rel = "hub"', [(HUB, "hub")]),
        (f'<{HUB}>; title="a \\"b\\" \\\\"; rel=hub', [(HUB, "hub")]),
        (f"<{HUB}>; rel=hub; rel=self", [(HUB, "hub")]),
        (f"<{HUB}>; nopush; rel=hub;, , <{TOPIC}>; rel=self ,", [(HUB, "hub"), (TOPIC, "self")]),
        ("<https://a.example/x,y;z>; rel=hub", [("https://a.example/x,y;z", "hub")]),
        (f'<{HUB}>; rel=hub; anchor="#part"', []),
        (f"<{HUB}>; rel=hub; anchor=\"{TOPIC}\"; title*=UTF-8''x", [(HUB, "hub")]),
        (f"<{HUB}>", []),
        (f'<{HUB}>; rel=hub; title="never ends, <{TOPIC}>; rel=self', [(HUB, "hub")]),
        (f"<{HUB}>; rel=hub oops, <{TOPIC}>; rel=self", [(HUB, "hub")]),
    ],
)
def test_a_link_header_is_read_as_rfc_8288_writes_it(header: str, found: list[tuple[str, str]]) -> None:
    assert [(link.href, link.rel) for link in read_link_header(header, base_url=TOPIC)] == found


links = st.builds(
    Link,
    st.from_regex(r"https://[a-z]{1,9}\.example/(?:[a-z,=/]|;[a-z]){0,9}", fullmatch=True),
    tokens,
    type=st.none() | st.just("application/atom+xml"),
    hreflang=st.none() | st.sampled_from(["uk", "zh-Hant"]),
    title=st.none() | words,
)


@given(said=st.lists(links, max_size=5))
def test_a_link_header_says_what_was_written_into_it(said: list[Link]) -> None:
    header = ", ".join(map(written, said))
    assert list(read_link_header(header, base_url=TOPIC)) == said


def written(link: Link) -> str:
    values = {"rel": link.rel, "type": link.type, "hreflang": link.hreflang, "title": link.title}
    quoted = {name: v.replace("\\", r"\\").replace('"', r"\"") for name, v in values.items() if v is not None}
    return f"<{link.href}>" + "".join(f'; {name}="{value}"' for name, value in quoted.items())


@given(header=st.text() | st.text(st.sampled_from('<>;,="\\ arel')))
def test_no_link_header_is_an_error(header: str) -> None:
    read_link_header(header, base_url=TOPIC)
