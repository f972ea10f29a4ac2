// A topic is tried by itself while somebody writes it; without JavaScript the button does the same.
(() => {
  "use strict";
  const form = document.querySelector("form[data-try]");
  const button = form && form.querySelector("button[formaction]");
  if (!button) return;
  const PAUSE = 400;
  const DECIDES = new Set(["any", "all", "none", "languages", "sources"]);
  let waiting = 0;
  let asked = null;

  const show = (page) => {
    for (const place of ["[data-problem]", "[data-trial]", "[data-tried]"]) {
      const [here, there] = [document.querySelector(place), page.querySelector(place)];
      if (here && there) here.replaceChildren(...there.childNodes);
    }
    if (document.querySelector("[data-tried]").childElementCount) {
      for (const each of document.querySelectorAll("[data-untried]")) each.hidden = true;
    }
  };

  const tryIt = async () => {
    // Only the answer to what was typed last counts.
    if (asked) asked.abort();
    asked = new AbortController();
    const own = asked;
    try {
      const answer = await fetch(button.formAction, {
        method: "POST", body: new URLSearchParams(new FormData(form)), signal: own.signal,
      });
      // A session that is over leads elsewhere: then the page stays as it is, with all that was typed.
      if (answer.ok || answer.status === 400) {
        show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      }
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
  };

  form.addEventListener("input", (event) => {
    if (!DECIDES.has(event.target.name)) return;
    clearTimeout(waiting);
    waiting = setTimeout(tryIt, PAUSE);
  });
})();
