// Keeps a batch's figures up to date while it moves, and shows the page anew when it has come to another state.
"use strict";
for (const card of document.querySelectorAll("[data-progress-url][data-moving]")) {
  const bar = card.querySelector("progress");
  const status = card.querySelector("[data-status]");
  const figures = card.querySelector(".warm-figures");
  let said = 0;
  const show = (found) => {
    if (bar) {
      bar.value = found.percent;
      bar.textContent = `${found.percent} %`;
    }
    figures.replaceChildren(
      ...found.figures.map((figure) => {
        const group = document.createElement("div");
        group.append(
          Object.assign(document.createElement("dt"), { textContent: figure.name }),
          Object.assign(document.createElement("dd"), { textContent: figure.value }),
        );
        return group;
      }),
    );
    // a screen reader hears of each tenth only
    if (Math.floor(found.percent / 10) > said) {
      said = Math.floor(found.percent / 10);
      status.textContent = `${found.percent} %`;
    }
  };
  const update = async () => {
    try {
      const response = await fetch(card.dataset.progressUrl, { credentials: "same-origin", redirect: "error" });
      if (response.ok) {
        const found = await response.json();
        if (found.state !== card.dataset.state || !found.is_moving) return window.location.reload();
        show(found);
      }
    } catch {
      status.textContent = card.dataset.lost; // the next try may find the site again
    }
    window.setTimeout(update, 1500);
  };
  window.setTimeout(update, 1500);
}

// What is typed outlives a lost session: it is kept in this tab until a batch has been made of it.
const KEPT = "typed-questions";
const questions = document.querySelector("textarea[name=questions]");
if (questions) {
  questions.value = questions.value || window.sessionStorage.getItem(KEPT) || "";
  questions.addEventListener("input", () => window.sessionStorage.setItem(KEPT, questions.value));
} else if (document.querySelector("[data-progress-url]")) {
  window.sessionStorage.removeItem(KEPT);
}
