/* A second click sends nothing twice, and whoever leaves a form is asked about what was typed. The server guards itself, too. */
"use strict";
(() => {
  const AGAIN_MS = 10000; // an answer that is a file leaves the page as it is
  const buttonsOf = (form) => [...form.elements].filter((field) => field.type === "submit");

  function release(form) {
    if (!("sent" in form.dataset)) return;
    delete form.dataset.sent;
    form.removeAttribute("aria-busy");
    for (const button of buttonsOf(form)) if ("sent" in button.dataset) { button.disabled = false; delete button.dataset.sent; }
  }

  function hold(form) {
    form.dataset.sent = "";
    form.setAttribute("aria-busy", "true");
    // after the browser has read which button it was
    setTimeout(() => {
      for (const button of buttonsOf(form)) if (!button.disabled) { button.disabled = true; button.dataset.sent = ""; }
    });
    setTimeout(() => release(form), AGAIN_MS);
  }

  // on the window: after the page's own scripts, which may have something else in mind
  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || event.submitter?.formMethod === "get") return;
    if ("sent" in form.dataset) event.preventDefault();
    else hold(form);
  });
  window.addEventListener("pageshow", () => { for (const form of document.forms) release(form); });

  // -- what was typed

  const isChanged = (field) => {
    if (field.type === "hidden" || field.name === "csrfmiddlewaretoken") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.type === "file") return field.files.length > 0;
    if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.dataset.touched;
    return "defaultValue" in field && field.value !== field.defaultValue;
  };
  const isLong = (form) => form.method === "post" && form.id !== "changelist-form" && form.querySelector("textarea, .form-row, [type=file]");
  const isUnsaved = (form) => isLong(form) && !("sent" in form.dataset) && [...form.elements].some(isChanged);

  document.addEventListener("change", (event) => { if (event.target.tagName === "SELECT") event.target.dataset.touched = "1"; });
  window.addEventListener("beforeunload", (event) => {
    if ([...document.forms].some((form) => form.closest("#content") && !form.hasAttribute("data-unasked") && isUnsaved(form)) && !isSending()) event.preventDefault();
  });
  const isSending = () => [...document.forms].some((form) => "sent" in form.dataset);
})();
