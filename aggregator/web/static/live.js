// Says that something new was published while a page is open. Nothing moves until the reader asks.
(() => {
  "use strict";
  const bar = document.querySelector("[data-events]");
  if (!bar || !window.EventSource) return;

  const address = new URL(bar.dataset.events, location.href);
  const fresh = new Set();
  let stream = null;

  const say = (text) => {
    if (bar.textContent === text) return;
    const link = document.createElement("a");
    link.href = location.pathname + location.search;
    link.textContent = text;
    bar.replaceChildren(link);
  };

  const hear = (event) => {
    if (event.lastEventId) address.searchParams.set("since", event.lastEventId);
    for (const id of JSON.parse(event.data).new || []) fresh.add(id);
    say(fresh.size ? bar.dataset.new.replace("{n}", fresh.size) : bar.dataset.changed);
  };

  const stop = () => {
    if (stream) stream.close();
    stream = null;
  };

  // A page that nobody looks at holds no connection: browsers have only six for each site.
  const follow = () => {
    if (document.hidden) return stop();
    if (stream) return;
    stream = new EventSource(address);
    stream.addEventListener("channel", hear);
  };

  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", follow);
})();
