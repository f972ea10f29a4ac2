// What makes the desk faster with JavaScript; without it everything works as it stands.
(() => {
  "use strict";
  // The clock that somebody reads by is known to their browser alone.
  const zone = document.querySelector("input[name=zone][data-own]");
  if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
})();
