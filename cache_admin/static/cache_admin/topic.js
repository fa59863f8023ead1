/* A topic's form: says, before it is saved, that a change makes earlier answers outdated. */
"use strict";
(() => {
  const note = document.getElementById("topic-warning"), form = document.getElementById("topic_form");
  if (!note || !form) return;
  const fields = note.dataset.madeFrom.split(" ");
  form.querySelector(".submit-row")?.prepend(note); // beside the buttons, which stay in sight

  function isChanged(field) {
    if (field.name.startsWith("documents-")) return field.type === "checkbox" ? field.checked : field.type === "file" && field.value !== "";
    if (!fields.includes(field.name)) return false;
    if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
    return field.value !== field.defaultValue;
  }

  function look() {
    const says = [...form.elements].some(isChanged);
    if (says === !note.hidden) return;
    note.hidden = !says;
    note.textContent = says ? note.dataset.warning : "";
  }
  form.addEventListener("input", look);
  form.addEventListener("change", look);
  look();
})();
