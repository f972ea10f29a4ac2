// Shows times by the reader's own clock, and says so. Without it they stay in UTC, as the foot of the page says.
(() => {
  "use strict";
  const note = document.querySelector("[data-zone]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!note || !zone || zone === "UTC") return;

  const form = (parts) => new Intl.DateTimeFormat(note.dataset.locale, parts);
  const day = form({ day: "numeric", month: "short", year: "numeric" });
  const weekday = form({ weekday: "long", day: "numeric", month: "short", year: "numeric" });
  const clock = form({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const words = {
    clock: (at) => clock.format(at),
    stamp: (at) => `${day.format(at)}, ${clock.format(at)}`,
  };

  // Entries stand under days that begin at another hour here. They come newest first, so their order stays.
  let last = null;
  for (const section of document.querySelectorAll("section.day")) {
    for (const entry of section.querySelectorAll(".entry")) {
      const at = new Date(entry.querySelector("[data-local]").dateTime);
      if (!last || last.label !== day.format(at)) {
        last = { section: section.cloneNode(false), label: day.format(at) };
        last.section.setAttribute("aria-label", last.label);
        last.section.append(section.querySelector(".date").cloneNode(true));
        const date = last.section.querySelector("time");
        date.dateTime = at.toLocaleDateString("sv");
        date.textContent = weekday.format(at);
        section.before(last.section);
      }
      last.section.append(entry);
    }
    section.remove();
  }

  for (const time of document.querySelectorAll("time[data-local]")) {
    time.textContent = words[time.dataset.local](new Date(time.dateTime));
  }
  note.textContent = note.dataset.zone.replace("{zone}", zone);
})();
