/* The form that switches an incident text on: says before the click what the click will do. */
"use strict";
(() => {
  const form = document.getElementById("switch-form");
  if (!form) return;
  const summary = document.getElementById("switch-summary"), all = document.getElementById("switch-all");
  const boxes = [...form.querySelectorAll('input[name="topics"]')], until = document.getElementById("id_until");
  const questions = document.getElementById("id_questions");

  function say() {
    const names = boxes.filter((box) => box.checked).map((box) => box.nextElementSibling.textContent.trim());
    const lasts = form.querySelector('input[name="lasts"]:checked');
    const isOther = lasts && lasts.value === "other";
    until.closest(".switch-until").hidden = !isOther;
    const when = isOther ? until.value.replace("T", " ") : lasts ? lasts.nextElementSibling.textContent.trim() : "";
    const where = questions.value.trim() ? summary.dataset.some : summary.dataset.where;
    summary.textContent = names.length ? `${where} ${names.join(", ")}: ${when}.` : summary.dataset.none;
  }

  all.hidden = boxes.length < 2;
  all.addEventListener("click", () => {
    const isAll = boxes.every((box) => box.checked);
    boxes.forEach((box) => { box.checked = !isAll; });
    say();
  });
  form.addEventListener("input", say);
  form.addEventListener("change", say);
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault(); // a double click switches on once
    isSent = true;
  });
  window.addEventListener("pageshow", () => { isSent = false; });
  say();
})();
