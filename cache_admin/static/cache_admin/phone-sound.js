/* What is heard: words by the browser's own voices where it has any, recordings by its player. */
"use strict";
window.phoneSound = (() => {
  const FASTEST_SPOKEN = 5; // beyond, words would be a mumble: they are only shown
  const STRENGTHS = { none: 0, "x-weak": 0, weak: 250, medium: 500, strong: 750, "x-strong": 1000 };
  let url = "", speed = 1, isOn = true, language = "en-US", recording = null;
  // Texts and pauses in ms. A voice may take longer than Connect's would: words wait for their turn, and none is lost.
  let queue = [], isBusy = false, turn = 0;

  const voices = () => (window.speechSynthesis ? speechSynthesis.getVoices() : []);

  function findVoice() {
    const tag = language.toLowerCase(), all = voices();
    return all.find((voice) => voice.lang.toLowerCase() === tag)
      || all.find((voice) => voice.lang.toLowerCase().startsWith(tag.slice(0, 2))) || null;
  }

  /** Texts and pauses of an SSML document; the plain words where it does not parse. */
  function readSsml(ssml, text) {
    const parsed = new DOMParser().parseFromString(ssml || "", "application/xml");
    if (!ssml || parsed.querySelector("parsererror")) return [text];
    const pieces = [""];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) pieces[pieces.length - 1] += node.data;
      if (node.nodeName === "break") {
        const found = /^([\d.]+)(ms|s)$/.exec(node.getAttribute("time") || "");
        const strength = STRENGTHS[node.getAttribute("strength") || "medium"] ?? STRENGTHS.medium;
        pieces.push(found ? found[1] * (found[2] === "s" ? 1000 : 1) : strength, "");
      }
      node.childNodes.forEach(walk);
    };
    walk(parsed.documentElement);
    return pieces.map((piece) => (typeof piece === "string" ? piece.replace(/\s+/g, " ").trim() : piece)).filter((piece) => piece !== "");
  }

  function speakNext() {
    const next = queue.shift(), mine = turn;
    isBusy = next !== undefined;
    if (!isBusy) return;
    const goOn = () => { if (mine === turn) speakNext(); };
    if (typeof next === "number") {
      setTimeout(goOn, next / speed);
      return;
    }
    const utterance = new SpeechSynthesisUtterance(next);
    utterance.voice = findVoice();
    utterance.lang = language;
    utterance.rate = Math.min(speed, 2);
    utterance.onend = utterance.onerror = goOn;
    speechSynthesis.speak(utterance);
  }

  function stop() {
    turn += 1;
    [queue, isBusy] = [[], false];
    if (window.speechSynthesis) speechSynthesis.cancel();
    if (recording) recording.pause();
    recording = null;
  }

  function play(event) {
    if (!isOn || speed > FASTEST_SPOKEN) return;
    if (event.kind === "audio") {
      if (isBusy) return; // not over words
      recording = new Audio(`${url}?uri=${encodeURIComponent(event.audio)}`);
      recording.playbackRate = speed;
      recording.play().catch(() => {}); // not ours to play, or the browser wants a click first: the transcript has it
    } else if (voices().length) {
      queue.push(...readSsml(event.ssml, event.text));
      if (!isBusy) speakNext();
    }
  }

  return {
    stop,
    play,
    hasVoices: () => voices().length > 0,
    begin(options) { ({ url, speed, language } = options); stop(); },
    turn(on) { isOn = on; if (!on) stop(); },
  };
})();
