// A brief while somebody writes it: saved as they type, kept where it cannot be saved, and what comes in shown.
(() => {
  "use strict";
  const { $, $$ } = window.desk;
  const PAUSE = 1500;
  const AGAIN = 4000;

  // A browser that keeps nothing has to do without.
  const kept = {
    get: (name) => {
      try {
        return JSON.parse(localStorage.getItem(name));
      } catch {
        return null;
      }
    },
    put: (name, value) => {
      try {
        value ? localStorage.setItem(name, JSON.stringify(value)) : localStorage.removeItem(name);
      } catch {
        // Full or forbidden.
      }
    },
  };

  // Put a text in without moving the caret: what stands before and after it tells where it goes.
  const replaceText = (area, text) => {
    const { selectionStart: at, value: old } = area;
    let same = 0;
    while (same < at && old[same] === text[same]) same += 1;
    area.value = text;
    const end = old.length - at;
    const place = same === at ? at : Math.max(same, text.length - end);
    area.setSelectionRange(place, place);
  };

  const unsaved = new Set();
  addEventListener("beforeunload", (event) => {
    if (unsaved.size) event.preventDefault();
  });

  const look = async () => {
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { accept: "text/html" } });
      return answer.ok && !answer.redirected ? await answer.text() : null;
    } catch {
      return null;
    }
  };
  // The passages as they are now, around the editor.
  const refresh = async () => {
    const html = await look();
    if (html) window.desk.show(html, null);
  };

  const autosave = (form) => {
    const area = $("textarea", form);
    const base = $("input[name=base]", form);
    const line = $("[data-saved]", form);
    const name = `wirebrief-brief-${form.action}`;
    let last = area.value;
    let timer = 0;
    let sending = false;
    // After a clash only whoever wrote it decides: their own Save shows both texts.
    let waits = false;

    const tell = (key, values = {}) => {
      let text = line.dataset[key] || "";
      for (const [word, value] of Object.entries(values)) text = text.replace(`{${word}}`, value);
      if (line.textContent !== text) line.textContent = text;
    };
    const keep = () => {
      kept.put(name, area.value === last ? null : { text: area.value, base: base.value });
      area.value === last ? unsaved.delete(form) : unsaved.add(form);
    };
    const soon = (wait) => {
      clearTimeout(timer);
      timer = setTimeout(save, wait);
    };

    const save = async () => {
      if (sending || waits || area.value === last) return;
      sending = true;
      const sent = area.value;
      tell("saving");
      let wait = 0;
      try {
        const fields = new URLSearchParams(new FormData(form));
        const answer = await fetch(form.action, { method: "POST", body: fields, headers: { accept: "application/json" } });
        if (answer.status === 401 || answer.status === 403) {
          tell("out");
          wait = AGAIN;
        } else if (answer.status === 422) {
          tell("refused", { says: (await answer.json()).problem });
        } else if (!answer.ok) {
          throw new Error(answer.status);
        } else {
          const said = await answer.json();
          last = sent;
          if (said.clashes) {
            waits = true;
            // From here on the form begins where their own text stands, so that Save shows both.
            tell("clash");
          } else if (area.value === sent) {
            if (said.text !== sent) replaceText(area, said.text);
            last = area.value;
            base.value = said.number;
            tell(said.merged ? "merged" : "done", { n: said.number });
            refresh();
          } else {
            base.value = said.mine;
            wait = PAUSE;
          }
        }
      } catch {
        tell("away");
        wait = AGAIN;
      }
      sending = false;
      if (waits) {
        kept.put(name, { text: area.value, base: base.value });
      } else {
        keep();
      }
      if (wait) soon(wait);
    };

    const found = kept.get(name);
    if (found && found.text !== area.value) {
      area.value = found.text;
      base.value = found.base;
      form.closest("details").open = true;
      tell("kept");
      unsaved.add(form);
      soon(PAUSE);
    } else if (found) {
      kept.put(name, null);
    }
    area.addEventListener("input", () => {
      keep();
      soon(PAUSE);
    });
    addEventListener("online", () => soon(0));
    form.addEventListener("submit", () => {
      clearTimeout(timer);
      unsaved.delete(form);
      kept.put(name, null);
    });
  };

  // A brief that is not saved yet has no name: its text is kept here until it has one.
  const keepNew = (form) => {
    const area = $("textarea", form);
    const name = `wirebrief-${form.dataset.keep}`;
    const found = kept.get(name);
    if (found && !area.value.trim()) {
      area.value = found.text;
      form.closest("details").open = true;
      $("[data-saved]", form).textContent = $("[data-saved]", form).dataset.kept;
    }
    area.addEventListener("input", () => kept.put(name, area.value.trim() ? { text: area.value } : null));
    form.addEventListener("submit", () => kept.put(name, null));
  };

  // Both places that a reason speaks of.
  const isIn = (mark, words) => mark.textContent.includes(words) || words.includes(mark.textContent);
  const pairs = (within) => {
    for (const chip of $$("[data-pair]", within)) {
      const [ours, theirs] = $$("bdi", chip).map((each) => each.textContent);
      const card = chip.closest("[data-row]");
      const light = (on) => {
        const marks = [
          ...$$(".passage.active mark").filter((mark) => isIn(mark, ours)),
          ...$$("mark", card).filter((mark) => isIn(mark, theirs)),
        ];
        for (const mark of marks) mark.classList.toggle("lit", on);
      };
      chip.tabIndex = 0;
      for (const event of ["mouseenter", "focus"]) chip.addEventListener(event, () => light(true));
      for (const event of ["mouseleave", "blur"]) chip.addEventListener(event, () => light(false));
    }
  };

  const starts = new WeakSet();
  window.desk.ready((within) => {
    for (const form of $$("form[data-autosave]", within)) {
      if (starts.has(form)) continue;
      starts.add(form);
      autosave(form);
    }
    for (const form of $$("form[data-keep]", within)) keepNew(form);
    pairs(within);
  });

  // What came in: figures beside the passages change at once; suggestions wait until somebody asks.
  document.addEventListener("desk:news", async () => {
    const place = $("[data-brief]");
    if (!place) return;
    const html = await look();
    if (!html) return;
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const cover of $$(".passage .cover", page)) {
      const own = document.getElementById(cover.closest(".passage").id);
      if (own) $(".cover", own).replaceWith(document.adoptNode(cover));
    }
    const known = new Set($$("aside [data-row]").map((row) => row.id));
    const fresh = $$("aside [data-row]", page).filter((row) => !known.has(row.id)).length;
    // The editor has its own text, and the bar is not a part of what it tells of.
    const text = (within) => $$(".sheet > :not(#write), aside > :not([data-fresh])", within).map((each) => each.textContent).join().replace(/\s+/g, " ");
    const differs = text(page) !== text(document);
    const bar = $("[data-fresh]");
    if (!bar || !(fresh || differs)) return;
    const button = $("button", bar);
    button.textContent = (fresh === 1 ? button.dataset.one : fresh ? button.dataset.many : button.dataset.other).replace("{n}", fresh);
    button.onclick = () => window.desk.show(html, null, "sources");
    bar.hidden = false;
  });
})();
