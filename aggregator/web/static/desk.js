// What makes the desk faster with JavaScript. Without it every link and every form works as it stands.
(() => {
  "use strict";
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const desk = (window.desk = { $, $$ });

  // The clock that somebody reads by is known to their browser alone.
  for (const zone of $$("input[name=zone][data-own]"))
    zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";

  // What pages do with their text once it is there, and again once a part of it was put in anew.
  const setups = [];
  desk.ready = (setup) => {
    setups.push(setup);
    setup(document);
  };

  const say = (text) => {
    const line = $("#told");
    line.textContent = "";
    line.textContent = text;
    line.hidden = !text;
  };
  desk.say = say;

  const around = (stays, place) => {
    const [sheet, fresh] = [stays.parentElement, place.parentElement];
    for (const [old, now] of [[sheet, fresh], [sheet.parentElement, fresh.parentElement]]) {
      const kept = old === sheet ? stays : sheet;
      const at = now === fresh ? place : fresh;
      for (const child of [...old.children]) if (child !== kept) child.remove();
      let before = true;
      for (const child of [...now.children]) {
        if (child === at) before = false;
        else if (before) kept.before(child);
        else old.append(child);
      }
    }
  };

  // Forms that decide something: sent from the page, whose text then is put in anew, where it was.
  desk.show = (html, address, focus) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = $("main", page);
    if (!fresh) return location.assign(address);
    // An editor that is open stays where it is, with its caret: only what is around it is put in anew.
    const stays = $("[data-stay][open]");
    const place = $("[data-stay]", fresh);
    if (stays && place) around(stays, place);
    else $("main").replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    if (address) history.replaceState(null, "", address);
    for (const setup of setups) setup($("main"));
    const next = focus && document.getElementById(focus);
    if (next) {
      next.tabIndex = -1;
      next.focus({ preventScroll: true });
    }
  };

  const swap = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const buttons = $$("button", form);
    for (const each of buttons) each.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "text/html" } });
      const focus = form.dataset.swap || form.closest("[id]")?.id;
      desk.show(await answer.text(), answer.ok ? answer.url : null, focus);
      say("");
    } catch {
      for (const each of buttons) each.disabled = false;
      say($("#told").dataset.away);
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-swap]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    swap(form, event.submitter);
  });

  // What is new while a page stays open. A page that nobody looks at holds no connection.
  let stream = null;
  const stop = () => {
    if (stream) stream.close();
    stream = null;
  };
  const follow = () => {
    const place = $("[data-follow]");
    if (document.hidden || !place || !window.EventSource) return stop();
    if (stream) return;
    stream = new EventSource(place.dataset.follow);
    stream.addEventListener("news", (event) => {
      const at = $("[data-follow]");
      if (at) at.dispatchEvent(new CustomEvent("desk:news", { bubbles: true, detail: JSON.parse(event.data) }));
    });
  };
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", follow);

  // The wire: how many events came; nothing moves until somebody asks.
  document.addEventListener("desk:news", (event) => {
    const bar = $("[data-fresh][data-many]");
    if (!bar || !event.detail.new) return;
    const link = document.createElement("a");
    link.href = location.pathname + location.search;
    link.textContent = (event.detail.new === 1 ? bar.dataset.one : bar.dataset.many).replace("{n}", event.detail.new);
    bar.replaceChildren(link);
    bar.hidden = false;
  });

  // The keyboard. Single letters can be switched off, for whoever speaks to their machine (WCAG 2.1.4).
  const OFF = "wirebrief-keys-off";
  const stored = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const rows = () => $$("[data-row]").filter((row) => row.offsetParent !== null);
  const current = () => document.activeElement?.closest?.("[data-row]") || $("[data-row].on");
  const choose = (row) => {
    for (const other of $$("[data-row].on")) other.classList.remove("on");
    row.classList.add("on");
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const all = rows();
    const at = all.indexOf(current());
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next) choose(next);
  };
  const passage = (by) => {
    const all = $$("[data-passage]");
    const at = all.findIndex((each) => each.classList.contains("active"));
    const next = all[at + by];
    if (next) location.assign(`${next.dataset.passage}#${next.id}`);
  };
  const press = (key) => {
    const row = current();
    const found = (row && $(`[data-key="${key}"]`, row)) || $$(`[data-key="${key}"]`).find((each) => !each.closest("[data-row]"));
    if (!found) return false;
    if (found.tagName === "INPUT") found.closest("details")?.setAttribute("open", "");
    found.tagName === "INPUT" ? found.focus() : found.click();
    if (found.tagName === "SUMMARY") $("textarea, input:not([type=hidden])", found.parentElement)?.focus();
    return true;
  };
  const help = () => {
    const sheet = $("#keys");
    sheet.open ? sheet.close() : sheet.showModal();
  };

  const acts = {
    j: () => step(1),
    k: () => step(-1),
    o: () => $("[data-open]", current() || document)?.click(),
    "]": () => passage(1),
    "[": () => passage(-1),
    t: () => $("[data-take]", current() || document.createElement("i"))?.click(),
    s: () => {
      const box = $("[data-spike]", current() || document.createElement("i"));
      box?.closest("details")?.setAttribute("open", "");
      box?.focus();
    },
    "/": () => $("[data-search]")?.focus(),
    "?": help,
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (stored(OFF) && event.key !== "?") return;
    const act = acts[event.key];
    if (act) act();
    else if (!/^[a-z]$/.test(event.key) || !press(event.key)) return;
    event.preventDefault();
  });

  const sheet = $("#keys");
  if (sheet) {
    const box = $("[data-off]", sheet);
    box.checked = Boolean(stored(OFF));
    box.addEventListener("change", () => {
      try {
        box.checked ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF);
      } catch {
        // A browser that keeps nothing forgets it with the page.
      }
    });
    for (const opener of $$("[data-help]")) {
      opener.hidden = false;
      opener.addEventListener("click", help);
    }
  }
})();
