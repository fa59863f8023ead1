/* The choice of a time zone: offers the one that the browser is in. */
"use strict";
(() => {
  const select = document.getElementById("id_time_zone"), note = document.getElementById("browser-zone");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const isKnown = [...select.options].some((option) => option.value === zone);
  if (!isKnown || select.value === zone) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = gettext("Take it");
  button.addEventListener("click", () => { select.value = zone; note.hidden = true; select.focus(); });
  note.append(interpolate(gettext("This browser is in %s."), [zone]), " ", button);
  note.hidden = false;
})();
