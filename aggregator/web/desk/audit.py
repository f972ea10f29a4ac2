"""The audit at the desk: who decided what, when, and from what to what. For chiefs and admins."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from aggregator.store import audit
from aggregator.web.desk.frame import Chief, Here, reading_of, render_desk
from aggregator.web.locales import N_, Reading

router = APIRouter(prefix="/desk/audit", include_in_schema=False)

#: What was decided on, by how its acts begin.
KINDS = {
    "brief": N_("briefs"),
    "event": N_("events of the wire"),
    "view": N_("views of the wire"),
    "topic": N_("topics"),
    "channel": N_("channels"),
    "source": N_("sources"),
    "partner": N_("partners"),
    "account": N_("accounts"),
    "key": N_("keys of programs"),
    "settings": N_("settings"),
}

#: Every act, as a person says it.
ACTS = {
    "brief.add": N_("brief: begun"),
    "brief.save": N_("brief: text saved"),
    "brief.pick": N_("brief: a source picked"),
    "brief.unpick": N_("brief: a pick taken back"),
    "brief.reject": N_("brief: a suggestion refused"),
    "brief.check": N_("brief: a check answered"),
    "brief.publish": N_("brief: published"),
    "brief.update": N_("brief: published anew"),
    "brief.correct": N_("brief: corrected"),
    "brief.withdraw": N_("brief: withdrawn"),
    "brief.plan": N_("brief: publication planned"),
    "brief.unplan": N_("brief: planned publication taken back"),
    "brief.embargo": N_("brief: embargo"),
    "event.take": N_("event: taken"),
    "event.spike": N_("event: spiked"),
    "event.give_back": N_("event: given back"),
    "event.split": N_("event: a merge taken back"),
    "view.save": N_("view: saved"),
    "view.remove": N_("view: removed"),
    "topic.define": N_("topic: defined"),
    "topic.take-back": N_("topic: taken back"),
    "channel.define": N_("channel: defined"),
    "channel.take-back": N_("channel: taken back"),
    "source.add": N_("source: followed"),
    "source.describe": N_("source: described"),
    "source.pause": N_("source: paused"),
    "source.resume": N_("source: goes on"),
    "source.ask": N_("source: asked at once"),
    "source.identify": N_("source: how entries are known"),
    "source.keep": N_("source: how long stories are kept"),
    "source.move": N_("source: followed at a new address"),
    "source.stay": N_("source: a new address refused"),
    "source.remove": N_("source: not followed any more"),
    "partner.add": N_("partner: let in"),
    "partner.revoke": N_("partner: shut out"),
    "partner.key.add": N_("partner: a key made"),
    "partner.key.revoke": N_("partner: a key revoked"),
    "partner.webhook": N_("partner: webhook"),
    "partner.retry": N_("partner: webhooks sent again"),
    "account.add": N_("account: made"),
    "account.join": N_("account: password chosen by a link"),
    "account.link": N_("account: a link made"),
    "account.password": N_("account: password changed"),
    "account.role": N_("account: role"),
    "account.sign-out": N_("account: signed out everywhere"),
    "account.revoke": N_("account: closed"),
    "account.passkey.add": N_("account: a passkey added"),
    "account.passkey.remove": N_("account: a passkey removed"),
    "account.passkey.refuse": N_("account: a passkey refused"),
    "account.oidc.connect": N_("account: connected to a provider"),
    "account.oidc.disconnect": N_("account: disconnected from a provider"),
    "key.add": N_("key: made"),
    "key.revoke": N_("key: revoked"),
    "settings.change": N_("settings: changed"),
}

#: Records on one page.
MOST = 100

#: SQLite and PostgreSQL count rows with 63 bits.
_LARGEST = 2**63 - 1


@router.get("")
async def records(
    service: Here, who: Chief, by: str = "", act: str = "", subject: str = "", before: str = ""
) -> Response:
    """What was decided, the newest first; by one, of one kind, on one thing."""
    is_number = before.isascii() and before.isdecimal() and len(before) <= len(str(_LARGEST))
    number = int(before) if is_number and int(before) <= _LARGEST else None
    look = partial(audit.newest, by=by, act=act, subject=subject, before=number, limit=MOST + 1)
    found = await service.database.read(look)
    shown = found[:MOST]
    asked = {"by": by, "act": act, "subject": subject}
    older = urlencode({**asked, "before": shown[-1].id}) if len(found) > MOST else ""
    return render_desk(
        service,
        who,
        "audit.html",
        here="audit",
        rows=[(record, changes(record.deed.was, record.deed.became)) for record in shown],
        doers=await service.database.read(audit.doers),
        kinds=KINDS,
        acts=ACTS,
        said=partial(said, reading=reading_of(who)),
        asked=asked,
        older=older,
    )


def said(value: Any, reading: Reading) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return reading.say(N_("yes") if value else N_("no"))
    if isinstance(value, (list, tuple)):
        return ", ".join(said(each, reading) for each in value)
    return str(value)


def changes(was: Mapping[str, Any], became: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """What differs, name by name, with what it was and what it became."""
    names = dict.fromkeys([*was, *became])
    return [(name, was.get(name), became.get(name)) for name in names if was.get(name) != became.get(name)]
