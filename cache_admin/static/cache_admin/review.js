/* One click is enough: a form that is on its way is not sent again. The server would do it only once, too. */
"use strict";
for (const form of document.querySelectorAll("form[data-once]")) {
  let isSent = false;
  // a page that comes back from the browser's memory, with what was typed, can be sent again
  window.addEventListener("pageshow", () => { isSent = false; });
  form.addEventListener("submit", (event) => {
    if (isSent) return event.preventDefault();
    isSent = true;
    event.submitter?.setAttribute("aria-busy", "true");
  });
}
