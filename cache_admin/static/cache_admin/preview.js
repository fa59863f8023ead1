/* The preview of a wait policy: asks for the timelines of what the form holds, shows them, and plays them. */
"use strict";
(() => {
  const panel = document.getElementById("preview");
  if (!panel) return;
  const form = panel.closest("form"), words = panel.dataset, { tag, seconds } = window.timeline;
  const language = document.getElementById("preview-language"), faults = document.getElementById("preview-faults");
  const calls = [...panel.querySelectorAll(".preview-call")].map((root) => ({ root, svg: root.querySelector("svg") }));
  const isEditable = Boolean(form.querySelector("input:not([type=hidden]):not([type=submit]), textarea"));
  let asked = 0, wait = 0, playing = null, shown = "";

  // -- asking

  async function ask() {
    const number = ++asked, url = new URL(panel.dataset.url, window.location);
    url.searchParams.set("language", language.value);
    panel.classList.add("is-stale");
    try {
      const reply = await fetch(url, isEditable ? { method: "POST", body: new FormData(form) } : {});
      if (number !== asked) return; // something was typed meanwhile
      if (reply.redirected || reply.status === 403) return say([words.login]);
      if (!reply.ok) return say([words.unreachable]);
      const text = await reply.text();
      if (text !== shown) show(JSON.parse(text)); // leaving a field asks again: what plays need not stop for it
      shown = text;
      panel.classList.toggle("is-stale", text.startsWith('{"errors"'));
    } catch {
      if (number === asked) say([words.unreachable]);
    }
  }

  function later() {
    window.clearTimeout(wait);
    wait = window.setTimeout(ask, 400);
  }

  // -- showing

  function say(sentences) {
    faults.replaceChildren(...sentences.map((sentence) => tag("li", "", sentence)));
  }

  function show(found) {
    mark(found.errors || {});
    if (found.errors) return say([words.wrong]);
    stop();
    say(found.faults);
    found.timelines.forEach((line, index) => showCall(calls[index], line, found));
  }

  /** Says at each field what is wrong with it, without touching what was typed. */
  function mark(errors) {
    form.querySelectorAll(".preview-fault").forEach((note) => note.remove());
    form.querySelectorAll("[data-preview-marked]").forEach((field) => {
      field.removeAttribute("aria-invalid");
      delete field.dataset.previewMarked;
    });
    for (const [id, sentences] of Object.entries(errors)) {
      const field = document.getElementById(id);
      if (!field) continue;
      field.setAttribute("aria-invalid", "true");
      field.dataset.previewMarked = "yes";
      field.insertAdjacentElement("afterend", tag("span", "preview-fault", sentences.join(" ")));
    }
  }

  const NAMES = { silence: words.silence, prompt: words.prompt, comfort: words.comfort, answer: words.answer, "hand-over": words.handOver };

  function showCall(call, line, found) {
    call.language = found.language;
    call.line = line;
    line.bars.forEach((bar) => {
      bar.label = bar.number ? `${NAMES[bar.kind]} ${bar.number}` : NAMES[bar.kind];
      if (bar.kind === "silence" && bar.seconds > found.max_silence + 0.15) bar.tone = "too-long";
    });
    figure(call, "first", line.first_words === null ? "-" : seconds(line.first_words));
    figure(call, "longest", seconds(line.longest_silence), line.longest_silence > found.max_silence + 0.15);
    figure(call, "total", seconds(line.total_silence));
    draw(call);
    const list = call.root.querySelector("[data-list]");
    list.replaceChildren(...line.bars.map((bar) => makeRow(call, bar)));
    call.root.querySelector("[data-play-all]").disabled = false;
  }

  function draw(call) {
    if (!call.line) return;
    const { line } = call;
    call.drawn = window.timeline.draw(call.svg, { bars: line.bars, last: line.seconds, marks: [line.answer_seconds] });
    call.svg.setAttribute("aria-label", line.bars.map((bar) => `${seconds(bar.at)} ${bar.label}${bar.text ? `: ${bar.text}` : ""}`).join("; "));
    call.drawn.rects.forEach((rect, index) => rect.addEventListener("click", () => playOne(call, line.bars[index])));
  }

  function figure(call, name, text, isLong = false) {
    const place = call.root.querySelector(`[data-figure="${name}"]`);
    place.textContent = text;
    place.classList.toggle("is-long", isLong);
  }

  function makeRow(call, bar) {
    const item = window.timeline.row(bar);
    if (bar.kind !== "silence") {
      const button = tag("button", "timeline-play is-small", `▶ ${words.play}`);
      button.type = "button";
      button.setAttribute("aria-label", `${words.play}: ${bar.label}, ${seconds(bar.at)}`);
      button.addEventListener("click", () => playOne(call, bar));
      item.append(button);
    }
    return item;
  }

  // -- playing

  let context = null, source = null;

  /** A file that lies in the form only: it is decoded here, since no address leads to it. */
  async function playFile(name) {
    const file = form.elements[name]?.files?.[0];
    if (!file) return;
    context ||= new AudioContext();
    const decoded = await context.decodeAudioData(await file.arrayBuffer());
    source = context.createBufferSource();
    source.buffer = decoded;
    source.connect(context.destination);
    source.start();
  }

  function sound(call, bar) {
    call.root.querySelector("[data-words]").textContent = bar.text || (bar.kind === "silence" ? "" : `♪ ${bar.label}`);
    hush();
    if (bar.input) playFile(bar.input).catch(() => {}); // the form says at the field what is wrong with the file
    else if (bar.sound) window.phoneSound.play({ kind: "audio", audio: bar.audio });
    else if (bar.kind !== "silence") window.phoneSound.play({ kind: "words", text: bar.text, ssml: bar.ssml });
  }

  function hush() {
    window.phoneSound.stop();
    if (source) source.stop();
    source = null;
  }

  function begin(call) {
    stop();
    window.phoneSound.begin({ url: panel.dataset.url.replace(/preview\/.*$/, "sound/"), speed: 1, language: call.language });
    if (!window.phoneSound.hasVoices()) call.root.querySelector("details").dataset.mute = words.mute;
  }

  function playOne(call, bar) {
    begin(call);
    sound(call, bar);
  }

  function playAll(call, button) {
    const isOn = playing && playing.call === call;
    begin(call);
    if (isOn) return;
    const began = performance.now(), left = [...call.line.bars];
    playing = { call, button, frame: 0 };
    setButton(button, true);
    const tick = () => {
      const at = (performance.now() - began) / 1000;
      call.drawn.move(at);
      while (left.length && left[0].at <= at) {
        const bar = left.shift();
        call.drawn.rects.forEach((rect, index) => rect.classList.toggle("is-now", call.line.bars[index] === bar));
        sound(call, bar);
      }
      if (at >= call.line.seconds) return stop();
      playing.frame = requestAnimationFrame(tick);
    };
    tick();
  }

  function setButton(button, isOn) {
    button.setAttribute("aria-pressed", String(isOn));
    button.querySelector("b").textContent = isOn ? words.stop : words.play;
    button.querySelector("span").textContent = isOn ? "■" : "▶";
  }

  function stop() {
    hush();
    if (!playing) return;
    const { call, button, frame } = playing;
    playing = null;
    cancelAnimationFrame(frame);
    setButton(button, false);
    call.drawn.move(null);
    call.drawn.rects.forEach((rect) => rect.classList.remove("is-now"));
    call.root.querySelector("[data-words]").textContent = "";
  }

  calls.forEach((call) => {
    const button = call.root.querySelector("[data-play-all]");
    button.addEventListener("click", () => playAll(call, button));
    new ResizeObserver(() => { if (!playing) draw(call); }).observe(call.svg);
  });
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  document.addEventListener("formset:added", later);
  document.addEventListener("formset:removed", later);
  window.addEventListener("pagehide", stop);
  ask();
})();
