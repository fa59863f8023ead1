/* An answer's page: hear each part, and see what a voice makes of the text that is being written. */
"use strict";
(() => {
  const CHECK_AFTER_MS = 400, BREATH_MS = 600;
  const sound = window.phoneSound, words = document.getElementById("answer-words");
  if (!sound || !words) return;

  function element(name, text, className) {
    const node = document.createElement(name);
    if (text) node.textContent = text;
    if (className) node.className = className;
    return node;
  }

  // -- play by ear

  /** A button that plays the parts of a list one after the other, marking the one that is heard. */
  function addPlayer(list, language) {
    const bar = element("div", "", "listen"), button = element("button", words.dataset.play), note = element("span", "", "quiet");
    let timer = 0, isOn = false;
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    note.setAttribute("role", "status");
    const parts = () => [...list.querySelectorAll("li[data-ssml]")];
    const mark = (part) => parts().forEach((one) => one.classList.toggle("is-heard", one === part));

    function turn(on) {
      clearTimeout(timer);
      sound.stop();
      mark(null);
      isOn = on;
      button.textContent = on ? words.dataset.stop : words.dataset.play;
      button.setAttribute("aria-pressed", String(on));
    }

    function playFrom(index) {
      const part = parts()[index];
      if (!part) return turn(false);
      mark(part);
      sound.play({ kind: "part", ssml: part.dataset.ssml, text: part.firstChild.textContent });
      timer = setTimeout(() => playFrom(index + 1), Math.max(Number(part.dataset.seconds || 0), 1) * 1000 + BREATH_MS);
    }

    button.addEventListener("click", () => {
      if (isOn) return turn(false);
      note.textContent = sound.hasVoices() ? "" : words.dataset.silent;
      sound.begin({ url: "", speed: 1, language });
      turn(true);
      playFrom(0);
    });
    bar.append(button, note);
    list.before(bar);
    return bar;
  }

  for (const heard of document.querySelectorAll("[data-listen]")) {
    for (const part of heard.querySelectorAll("li")) part.dataset.seconds ||= parseInt(part.querySelector(".quiet").textContent, 10);
    addPlayer(heard, heard.dataset.language);
  }

  // -- what a voice makes of it

  const text = document.getElementById("id_text");
  if (!text) return;
  const panel = element("section", "", "voice"), title = element("h3", words.dataset.title), verdict = element("p");
  const faults = element("ul"), parts = element("ol", "", "voice-parts");
  title.id = "voice-title";
  panel.setAttribute("aria-labelledby", title.id);
  verdict.setAttribute("role", "status");
  panel.append(title, verdict, faults, parts);
  text.closest(".form-row").append(panel);
  const player = addPlayer(parts, words.dataset.language);

  function show(found) {
    verdict.replaceChildren(`${found.summary} `, ...(found.verdict ? [element("span", found.verdict, "fit")] : []));
    faults.replaceChildren(...found.faults.map((fault) => {
      const item = element("li", "", fault.level);
      if (fault.excerpt) item.append(element("q", fault.excerpt), " ");
      item.append(fault.message);
      return item;
    }));
    player.hidden = parts.hidden = text.value === text.defaultValue; // what callers hear now stands above already
    parts.replaceChildren(...found.parts.map((part) => {
      const item = element("li", part.text);
      item.dataset.ssml = part.ssml;
      item.dataset.seconds = part.seconds;
      return item;
    }));
  }

  let timer = 0, asked = 0;
  async function check() {
    const number = ++asked, body = new FormData();
    body.append("text", text.value);
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const response = await fetch(words.dataset.check, { method: "POST", body, headers: { "X-CSRFToken": token } });
      if (response.ok && number === asked) show(await response.json());
    } catch { /* away for a moment: the next key tries again */ }
  }
  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, CHECK_AFTER_MS); });
  check();
})();
