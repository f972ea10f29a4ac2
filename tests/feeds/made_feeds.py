"""Feeds made by hypothesis: well-formed, in three formats, and as odd as the wild is."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st


def _names(written: str) -> list[str]:
    return written.split()


_SPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "cc": "http://web.resource.org/cc/",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "creativeCommons": "http://backend.userland.com/creativeCommonsRssModule",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "georss": "http://www.georss.org/georss",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "own": "https://own.example/ns",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "wfw": "http://wellformedweb.org/CommentAPI/",
}
_ODD_SPACES = (
    ' xmlns:dc="http://purl.org/rss/1.0/modules/content/"',
    ' xmlns:x="http://purl.org/dc/elements/1.1/"',
    ' xmlns:x="https://own.example/ns"',
    ' xmlns="http://purl.org/rss/1.0/"',
    ' xmlns="https://own.example/ns"',
    ' xmlns:MEDIA="http://search.yahoo.com/mrss"',
    ' xmlns:xlink="http://www.w3.org/1999/xlink"',
)
_LEAVES = _names("""
    title link description guid pubDate author category comments source language copyright ttl generator
    managingEditor webMaster lastBuildDate docs cloud rating id updated published summary content
    subtitle rights icon logo name url date body abstract created issued modified keywords tagline info
    dc:title dc:creator dc:date dc:description dc:subject dc:language dc:rights dc:publisher
    dc:contributor dc:identifier dcterms:created dcterms:issued dcterms:modified dcterms:valid
    content:encoded media:title media:description media:credit media:keywords media:category
    media:thumbnail media:rating media:content itunes:author itunes:summary itunes:subtitle
    itunes:keywords itunes:explicit itunes:image itunes:category itunes:duration itunes:block atom:link
    atom:updated atom:summary atom:content atom:title atom:id slash:comments sy:updatePeriod
    sy:updateFrequency wfw:commentRss feedburner:origLink thr:total georss:point cc:license
    creativeCommons:license own:thing own:title enclosure image contributor textInput expirationDate
    link link title description
""")
_WORDS = (
    "Ada", "Quay", "café", "naïve", "Ð¿Ñ€Ð¸", "Ã©tÃ©", "新聞", "\x85", "\x96", "\u202e", "\u2067", "a  b", "\n",
    "\t", "\u00a0", "&", "<", ">", '"', "&amp;", "&lt;b&gt;", "&nbsp;", "&#8217;", "&#150;", "&eacute;", "1", "60",
    "daily", "2", "en-GB", "de_AT", "english", "true", "false", "desk@wire.example (Ada Quay)", "Ada <a@b.example>",
    "<p>One</p>", "<b>bold</b>", "<br>", "<img src='/p.png' width=1 height=1>", "<a href='x?a=1&b=2'>link</a>",
    "<script>x</script>", "<td>cell", "</p>", "<!-- note -->", "R&D", "a;b", "start=2020;end=2021",
)  # fmt: skip
_DATES = (
    "Tue, 18 Feb 2025 09:00:00 GMT", "Tue, 18 Feb 2025 09:00:00 +0130", "18 Feb 2025 09:00 EST", "2025-02-18",
    "2025-02-18T09:00:00Z", "2025-02-18T09:00:00.25+01:00", "Sat, 31 Feb 2025 09:00:00 GMT", "1739869200", "never",
    "0001-01-01T00:00:00Z", "mardi 18 février 2025", "",
)  # fmt: skip
_ADDRESSES = (
    "https://wire.example/a", "https://wire.example/a?b=1&c=2", "/here", "there?x=1", "#part", "", "//other.example/x",
    "http:///wire.example/x", "mailto:a@wire.example", "javascript:x", "tag:wire.example,2025:1", "https://é.example/é",
    "https://wire.example/a;b", "HTTPS://Wire.Example:443/a b", "https://[bad", "https://wire.example/a\x85",
)  # fmt: skip
_ATTRIBUTES = (
    ("href", _ADDRESSES), ("url", _ADDRESSES), ("rel", ("alternate", "self", "Enclosure", "replies", "")),
    ("type", ("text", "html", "xhtml", "text/html", "TEXT/plain", "image/png", "", "application/octet-stream")),
    ("isPermaLink", ("true", "false", "TRUE")), ("domain", ("", "https://wire.example/tags", "x")),
    ("term", ("news", "")), ("scheme", ("https://wire.example/s", "")), ("label", ("News", "")),
    ("length", ("12", "x")), ("fileSize", ("9",)), ("width", ("640", "1")), ("height", ("0x1",)),
    ("xml:lang", ("en", "de_AT", "")), ("xml:base", ("https://base.example/b/", "sub/", "javascript:x", "", "#")),
    ("base", ("https://odd.example/",)), ("lang", ("fr",)), ("mode", ("escaped", "base64")), ("text", ("Arts", "")),
    ("own:url", _ADDRESSES), ("own:kind", ("a",)), ("src", _ADDRESSES), ("medium", ("image",)),
    ("rdf:resource", _ADDRESSES), ("title", ("A & B",)),
)  # fmt: skip

words = st.lists(st.sampled_from(_WORDS), max_size=4).map(" ".join)
values = st.one_of(words, st.sampled_from(_DATES), st.sampled_from(_ADDRESSES))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Character data: escaped, by number, in CDATA, or with a comment in it."""
    value = draw(values)
    way = draw(st.integers(0, 4))
    if way == 1 and "]]>" not in value:
        return f"<![CDATA[{value}]]>"
    if way == 2:
        return "".join(f"&#{ord(one)};" for one in value if one.isprintable() or one in "\t\n\x85")
    if way == 3:
        return f"{escape(value)}<!-- a note --><?php?>{escape(draw(words))}"
    return escape(value)


@st.composite
def attributes(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(_ATTRIBUTES), max_size=3, unique_by=lambda one: one[0]))
    return "".join(f" {name}={quoteattr(draw(st.sampled_from(kinds)))}" for name, kinds in chosen)


@st.composite
def xhtml(draw: st.DrawFn) -> str:
    """Nested markup, as Atom allows it."""
    inner = draw(
        st.recursive(
            texts(),
            lambda more: st.tuples(
                st.sampled_from(("p", "div", "b", "br", "svg", "title", "own:x", "xh:i")),
                attributes(),
                st.lists(more, max_size=3),
            ).map(lambda made: f"<{made[0]}{made[1]}>{''.join(made[2])}</{made[0]}>"),
            max_leaves=5,
        )
    )
    wrapped = draw(
        st.sampled_from(("{}", "<div>{}</div>", " <div xmlns='http://www.w3.org/1999/xhtml'>{}</div>\n"))
    )
    return str(wrapped.replace("{}", inner))


@st.composite
def leaves(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(_LEAVES))
    more = draw(st.one_of(st.just(""), st.just(""), attributes()))
    return f"<{name}{more}>{draw(texts())}</{name}>"


@st.composite
def groups(draw: st.DrawFn) -> str:
    """Elements that hold others, the right ones and others."""
    name, inside = draw(
        st.sampled_from(
            (
                ("author", ("name", "email", "uri", "own:thing")),
                ("contributor", ("name", "email", "url")),
                ("itunes:owner", ("itunes:name", "itunes:email")),
                ("image", ("url", "title", "link", "width", "own:thing")),
                ("textInput", ("title", "name", "link", "description")),
                ("source", ("title", "id", "link", "updated", "author", "icon", "rights", "category")),
                ("media:group", ("media:content", "media:title", "media:description", "media:thumbnail")),
                (
                    "media:content",
                    ("media:title", "media:credit", "media:description", "media:keywords", "title"),
                ),
                ("itunes:category", ("itunes:category",)),
                ("own:thing", ("own:title", "title", "own:more")),
                ("skipHours", ("hour",)),
            )
        )
    )
    parts = "".join(
        f"<{part}{draw(st.one_of(st.just(''), attributes()))}>{draw(texts())}</{part}>"
        for part in draw(st.lists(st.sampled_from(inside), max_size=4))
    )
    more, text = draw(st.one_of(st.just(""), attributes())), draw(st.sampled_from(("", " ", "Ada")))
    return f"<{name}{more}>{text}{parts}</{name}>"


@st.composite
def marked_up(draw: st.DrawFn) -> str:
    name = draw(st.sampled_from(("content", "summary", "title", "atom:content", "rights")))
    return f'<{name} type="{draw(st.sampled_from(("xhtml", "html", "application/xml")))}">{draw(xhtml())}</{name}>'


def parts(most: int) -> st.SearchStrategy[str]:
    one = st.one_of(leaves(), leaves(), leaves(), groups(), marked_up())
    return st.lists(one, max_size=most).map("\n ".join)


@st.composite
def feeds(draw: st.DrawFn) -> str:
    """A document: RSS 2.0 and its like, RSS 1.0 or Atom."""
    kind = draw(st.sampled_from(("rss", "rss", "rdf", "atom")))
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in draw(_shuffled))
    spaces += (
        ' xmlns:xh="http://www.w3.org/1999/xhtml" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    )
    odd = draw(st.sampled_from(_ODD_SPACES)) if draw(st.integers(0, 9)) == 0 else ""
    spaces += odd if odd.partition("=")[0] not in (" xmlns:dc", " xmlns") else ""
    more = draw(st.one_of(st.just(""), st.just(""), attributes()))
    entries = draw(st.lists(parts(9), max_size=3))
    head, tail = draw(parts(6)), draw(parts(2))
    declaration = draw(
        st.sampled_from(("", "<?xml version='1.0'?>\n", "<?xml version='1.0' encoding='utf-8'?>"))
    )
    if kind == "atom":
        inner = "".join(
            f"<entry{draw(st.one_of(st.just(''), attributes()))}>{one}</entry>" for one in entries
        )
        return f'{declaration}<feed xmlns="{_SPACES["atom"]}"{spaces}{more}>{head}{inner}{tail}</feed>'
    if kind == "rdf":
        inner = "".join(
            f'<item rdf:about="https://wire.example/{n}">{one}</item>' for n, one in enumerate(entries)
        )
        return (
            f'{declaration}<rdf:RDF xmlns="http://purl.org/rss/1.0/"{spaces}{more}><channel>{head}</channel>'
            f"<image><title>{draw(texts())}</title><url>/p.png</url></image>{inner}</rdf:RDF>"
        )
    version = draw(st.sampled_from(("2.0", "2.0", "0.91", "0.92", "")))
    inner = "".join(f"<item>{one}</item>" for one in entries)
    return f'{declaration}<rss version="{version}"{spaces}{more}><channel>{head}{inner}{tail}</channel></rss>'


_shuffled = st.permutations(sorted(_SPACES.items()))
