/* The browser phone: places a call, follows it, and passes on what the caller does. */
"use strict";
(() => {
  const LOOK_MS = 300, MOST_FAILURES = 10;
  const ENDS = {
    hung_up: gettext("The caller hung up"), disconnected: gettext("The flow ended the call"), queue: gettext("Handed over to a queue"),
    agent: gettext("An agent took the call"), transferred: gettext("Transferred"), flow_ended: gettext("The flow ended"),
    module_returned: gettext("The module returned"), held: gettext("Waits in the queue"), failed: gettext("The flow broke off"),
    stuck: gettext("The flow did not end"), lost: gettext("The call was lost"),
  };
  const WHO = { prompt: gettext("Wait prompt"), part: gettext("Answer"), audio: gettext("Wait sound"), key: gettext("Key"), say: gettext("Caller") };
  const STATUSES = { 200: gettext("last part"), 206: gettext("more parts follow"), 202: gettext("keep waiting") };
  const $ = (id) => document.getElementById(id);
  const page = $("phone-page"), form = $("phone-form"), button = $("phone-button"), device = document.querySelector(".phone-device");
  const sound = window.phoneSound, timeline = window.phoneTimeline;
  let call = null; // the call under way, or null
  let shown = 0; // the second that the picture shows, of the last call too

  // -- small things

  const { seconds } = window.amounts;
  const clock = (value) => `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;
  const token = () => form.elements.csrfmiddlewaretoken.value;

  function element(name, className, text) {
    const node = document.createElement(name);
    if (className) node.className = className;
    if (text) node.textContent = text;
    return node;
  }

  async function post(url, fields) {
    const body = fields instanceof FormData ? fields : new FormData();
    if (!(fields instanceof FormData)) for (const [name, value] of Object.entries(fields || {})) body.append(name, value);
    return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token() } });
  }

  // -- the form

  function fitLanguages() {
    const chosen = $("id_topic").selectedOptions[0], languages = chosen ? chosen.dataset.languages.split(" ") : [];
    for (const option of $("id_language").options) option.hidden = option.disabled = !languages.includes(option.value);
    $("id_language").value = languages[0] || "";
  }

  function showErrors(errors) {
    for (const node of form.querySelectorAll(".phone-error")) {
      const name = node.id.replace("error-", ""), field = form.elements[name];
      node.textContent = (errors[name] || []).map((error) => error.message || error).join(" ");
      if (field) field.setAttribute("aria-invalid", String(Boolean(errors[name])));
    }
    const general = (errors.__all__ || []).map((error) => error.message || error).join(" ");
    $("error-all").textContent = general;
    $("error-all").hidden = !general;
    const first = form.querySelector('[aria-invalid="true"]');
    if (first) {
      const more = first.closest("details");
      if (more) more.open = true;
      first.focus();
    }
    return Object.values(errors).flat().join(" ");
  }

  // -- what is shown

  function setLive(isLive, status) {
    device.classList.toggle("is-live", isLive);
    button.className = isLive ? "is-hang-up" : "is-call";
    $("phone-button-label").textContent = isLive ? gettext("Hang up") : gettext("Call again");
    $("phone-status").textContent = status;
    // disabling the focused element would throw the keyboard's user out
    for (const node of [...document.querySelectorAll(".phone-key"), $("say"), $("say-button")]) node.disabled = !isLive;
    $("phone-fields").disabled = isLive;
  }

  function describe(event) {
    const told = element("div", "told"), who = WHO[event.kind];
    if (who) told.append(element("span", "who", event.kind === "part" ? interpolate(gettext("%s, part %s"), [who, call.parts]) : who));
    if (["prompt", "part", "key", "say"].includes(event.kind)) told.append(element("p", "words", event.text));
    else if (event.kind === "audio") told.append(element("p", "words", `♪ ${seconds(event.seconds)}`));
    else if (event.kind === "lambda") {
      const status = STATUSES[event.status], reply = event.reply || {}, reason = reply.reason || reply.source || event.text;
      told.append(element("code", "", event.name.replace("connectgenai-", "")), ` → ${event.status}`);
      told.append([status && ` ${status}`, reason && ` (${reason})`, `, ${seconds(event.seconds)}`].filter(Boolean).join(""));
    } else if (event.kind === "step") {
      told.append(element("code", "", event.action), ` → ${event.way}${event.text ? `: ${event.text}` : ""}`);
    } else if (event.kind === "silence") told.append(interpolate(gettext("%s of dead air"), [seconds(event.seconds)]));
    else if (event.kind === "cut") told.append(gettext("cut off here"));
    else if (event.kind === "end") {
      const queue = event.queue ? ` (${event.queue.split("/").pop()})` : "";
      told.append(`${ENDS[event.way] || event.way}${queue}${event.text ? `: ${event.text}` : "."}`);
    } else told.append(event.text);
    return told;
  }

  function show(event) {
    if (event.kind === "silence" && event.seconds < 0.5) return; // in the picture; too short to read about
    if (event.kind === "prompt" && !event.text) return; // a pause
    const row = element("li", `row-${event.kind}`), time = element("time", "", seconds(event.at));
    if (event.kind === "silence" && event.seconds > timeline.LONG_SILENCE) row.classList.add("is-long");
    row.append(time, describe(event));
    const log = $("log"), isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
    // what takes time is told when it is over: it goes before what has happened meanwhile
    row.dataset.at = event.at;
    const rows = [...$("transcript").children], after = rows.findLastIndex((other) => Number(other.dataset.at) <= event.at);
    if (after < 0) $("transcript").prepend(row);
    else rows[after].after(row);
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  function showFigures() {
    $("figure-first").textContent = call.first === null ? "…" : seconds(call.first);
    $("figure-silence").textContent = seconds(call.silence);
    $("figure-silence").classList.toggle("is-long", call.silence > timeline.LONG_SILENCE);
    $("figure-lambdas").textContent = call.lambdas;
    $("figure-parts").textContent = call.parts;
  }

  function summarize() {
    return [
      call.first === null ? gettext("no answer was heard") : interpolate(gettext("first words after %s"), [seconds(call.first)]),
      interpolate(gettext("longest silence %s"), [seconds(call.silence)]),
      interpolate(ngettext("%s Lambda call", "%s Lambda calls", call.lambdas), [call.lambdas]),
      interpolate(ngettext("%s part", "%s parts", call.parts), [call.parts]),
    ].join(", ");
  }

  // -- the call

  function take(event) {
    call.since = event.number;
    if (event.kind === "part") {
      call.parts += 1;
      call.first ??= event.at;
    }
    if (event.kind === "lambda") call.lambdas += 1;
    if (event.kind === "silence") call.silence = Math.max(call.silence, event.seconds);
    if (["prompt", "part", "audio"].includes(event.kind)) sound.play(event);
    if (event.kind === "cut") sound.stop(); // at the end the last words may still be on their way
    if (event.kind === "end") {
      call.lambdas = event.lambda_calls ?? call.lambdas;
      call.silence = event.longest_silence ?? call.silence;
      call.end = event;
    }
    timeline.add(event);
    show(event);
  }

  function tick() {
    if (!call) return;
    // between two looks the page guesses, slowly enough never to have to go back
    const now = call.end ? call.end.at : Math.max(shown, call.seconds + (performance.now() - call.lookedAt) / 1000);
    shown = now;
    $("phone-clock").textContent = clock(now);
    timeline.draw(now);
  }

  async function look(mine) {
    if (call !== mine) return;
    try {
      const reply = await fetch(`${mine.events}?since=${mine.since}`);
      if (!reply.ok) throw new Error(reply.status);
      const found = await reply.json();
      if (call !== mine) return;
      mine.failures = 0;
      [mine.seconds, mine.lookedAt] = [found.seconds, performance.now()];
      found.events.forEach(take);
      showFigures();
      if (found.over || mine.end) return finish();
    } catch {
      mine.failures += 1;
      if (mine.failures > MOST_FAILURES) return finish(gettext("The connection to the site is lost"));
      if (mine.failures > 2) $("phone-status").textContent = gettext("Connecting again…");
    }
    mine.timer = setTimeout(look, LOOK_MS, mine);
  }

  function finish(status) {
    const ended = call;
    tick();
    clearInterval(ended.ticking);
    timeline.describe(interpolate(gettext("The call: %s."), [summarize()]));
    setLive(false, status || (ended.end && ENDS[ended.end.way]) || gettext("The call is over"));
    $("records").href = ended.records;
    $("records").hidden = false;
    call = null;
  }

  async function begin() {
    showErrors({});
    $("phone-status").textContent = gettext("Calling…");
    const wish = new FormData(form);
    button.disabled = true;
    let reply, found;
    try {
      reply = await post(page.dataset.begin, wish);
      found = await reply.json();
    } catch {
      found = { errors: { __all__: [gettext("The site does not answer. Reload the page, and try again.")] } };
    }
    button.disabled = false;
    if (found.errors) {
      $("phone-status").textContent = showErrors(found.errors) || gettext("No call");
      return;
    }
    sound.begin({ url: page.dataset.sound, speed: Number(wish.get("speed")), language: wish.get("language") });
    call = { ...found, since: 0, seconds: 0, lookedAt: performance.now(), first: null, silence: 0, lambdas: 0, parts: 0, failures: 0 };
    $("transcript").replaceChildren();
    $("records").hidden = true;
    $("phone-subtitle").textContent = `${$("id_flow").selectedOptions[0].text.split(":")[0]} · ${wish.get("topic")} · ${wish.get("language")}`;
    shown = 0;
    timeline.begin();
    timeline.describe(gettext("A call is under way; the transcript tells it"));
    setLive(true, gettext("On the line"));
    showFigures();
    button.focus();
    call.ticking = setInterval(tick, 100);
    look(call);
  }

  function hangUp() {
    sound.stop();
    $("phone-status").textContent = gettext("Hanging up…");
    post(call.hang_up);
  }

  function press(key) {
    const pad = document.querySelector(`.phone-key[data-key="${CSS.escape(key)}"]`);
    if (!call || !pad) return;
    pad.classList.add("is-pressed");
    setTimeout(() => pad.classList.remove("is-pressed"), 150);
    post(call.signs, { kind: "key", text: key });
  }

  // -- what the caller does

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (call) hangUp();
    else begin();
  });
  document.querySelector(".phone-keys").addEventListener("click", (event) => {
    const key = event.target.closest(".phone-key");
    if (key) press(key.dataset.key);
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select");
    if (call && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey && /^[0-9*#]$/.test(event.key)) press(event.key);
  });
  $("say-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (call && $("say").value.trim()) post(call.signs, { kind: "say", text: $("say").value.trim() });
    $("say").value = "";
  });
  $("id_topic").addEventListener("change", fitLanguages);
  $("with-sound").addEventListener("change", (event) => sound.turn(event.target.checked));
  for (const kind of ["lambda", "step"]) {
    const box = $(`show-${kind}`), apply = () => $("log").classList.toggle(`no-${kind}`, !box.checked);
    box.addEventListener("change", apply);
    apply();
  }
  window.addEventListener("resize", () => timeline.draw(shown));
  window.addEventListener("pagehide", () => {
    if (!call) return;
    const fields = new FormData();
    fields.append("csrfmiddlewaretoken", token());
    navigator.sendBeacon(call.hang_up, fields);
  });

  // -- what this browser has

  const Recognition = window.SpeechRecognition || window.webkitSpeechRecognition;
  if (Recognition) {
    const mic = $("speak-question");
    mic.hidden = false;
    mic.title = gettext("Your browser's vendor may turn your words into text");
    mic.addEventListener("click", () => {
      const hearing = new Recognition();
      hearing.lang = $("id_language").value;
      hearing.onresult = (event) => { $("id_question").value = event.results[0][0].transcript; };
      hearing.onend = () => mic.classList.remove("is-listening");
      hearing.onerror = () => { mic.textContent = gettext("Cannot hear you: type it"); };
      mic.classList.add("is-listening");
      hearing.start();
    });
  }
  const noteVoices = () => { $("voice-note").textContent = sound.hasVoices() ? "" : gettext("This browser has no voices: read the transcript."); };
  if (window.speechSynthesis) speechSynthesis.addEventListener("voiceschanged", noteVoices);
  setTimeout(noteVoices, 1000); // some browsers find their voices late

  timeline.attach($("timeline"));
  fitLanguages();
})();
