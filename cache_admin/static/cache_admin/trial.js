/* A text that is being made: its parts as they come, and the whole page again when it is there. */
"use strict";
for (const list of document.querySelectorAll("[data-draft]")) {
  const EVERY_MS = 700, line = list.parentElement.querySelector("[data-line]");
  let epoch = list.dataset.epoch, since = Date.now();

  function addPart(part) {
    const item = document.createElement("li");
    item.textContent = part.text;
    list.append(item);
  }

  function show(found) {
    if (String(found.epoch) !== epoch) { // begun again
      epoch = String(found.epoch);
      list.replaceChildren();
      since = Date.now();
    }
    for (const part of found.parts.slice(list.children.length)) addPart(part);
    if (line.textContent !== found.line) line.textContent = found.line; // a screen reader hears of news only
  }

  async function look() {
    try {
      const response = await fetch(list.dataset.draft, { credentials: "same-origin", redirect: "error" });
      if (response.ok) {
        const found = await response.json();
        if (found.is_over) return window.location.reload();
        show(found);
      }
    } catch {
      line.textContent = gettext("This page has lost the site; it tries again.");
    }
    window.setTimeout(look, Date.now() - since > 60_000 ? 5 * EVERY_MS : EVERY_MS);
  }
  window.setTimeout(look, EVERY_MS);
}
