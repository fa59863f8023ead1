/* What is heard: words by the browser's own voices where it has any, recordings by its player. */
"use strict";
window.phoneSound = (() => {
  const FASTEST_SPOKEN = 2; // at a faster clock words would be a mumble: they are only shown
  let url = "", speed = 1, isOn = true, language = "en-US", recording = null, timers = [];

  const voices = () => (window.speechSynthesis ? speechSynthesis.getVoices() : []);

  function findVoice() {
    const tag = language.toLowerCase(), all = voices();
    return all.find((voice) => voice.lang.toLowerCase() === tag)
      || all.find((voice) => voice.lang.toLowerCase().startsWith(tag.slice(0, 2))) || null;
  }

  /** Text pieces and pauses (in ms) of an SSML document; the plain words where it does not parse. */
  function readSsml(ssml, text) {
    const parsed = new DOMParser().parseFromString(ssml, "application/xml");
    if (!ssml || parsed.querySelector("parsererror")) return [text];
    const pieces = [], strengths = { none: 0, "x-weak": 0, weak: 250, medium: 500, strong: 750, "x-strong": 1000 };
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE && node.data.trim()) pieces.push(node.data.trim());
      if (node.nodeName === "break") {
        const found = /^([\d.]+)(ms|s)$/.exec(node.getAttribute("time") || "");
        pieces.push(found ? found[1] * (found[2] === "s" ? 1000 : 1) : strengths[node.getAttribute("strength") || "medium"] ?? 500);
      }
      node.childNodes.forEach(walk);
    };
    walk(parsed.documentElement);
    return pieces;
  }

  function say(pieces) {
    if (!pieces.length) return;
    const [first, ...rest] = pieces;
    if (typeof first === "number") {
      timers.push(setTimeout(() => say(rest), first / speed));
      return;
    }
    const utterance = new SpeechSynthesisUtterance(first);
    utterance.voice = findVoice();
    utterance.lang = language;
    utterance.rate = speed;
    utterance.onend = () => say(rest);
    speechSynthesis.speak(utterance);
  }

  function stop() {
    timers.forEach(clearTimeout);
    timers = [];
    if (window.speechSynthesis) speechSynthesis.cancel();
    if (recording) recording.pause();
    recording = null;
  }

  function play(event) {
    if (!isOn || speed > FASTEST_SPOKEN) return;
    if (event.kind === "audio") {
      stop();
      recording = new Audio(`${url}?uri=${encodeURIComponent(event.audio)}`);
      recording.playbackRate = speed;
      recording.play().catch(() => {}); // not ours to play, or the browser wants a click first: the transcript has it
    } else if (voices().length) {
      stop();
      say(readSsml(event.ssml, event.text));
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
