/* A call's timeline: drawn from what the table says, and heard row by row. */
"use strict";
(() => {
  const panel = document.getElementById("call-timeline"), given = document.getElementById("call-drawing");
  if (!panel || !given) return;
  const drawing = JSON.parse(given.textContent), svg = document.getElementById("call-svg"), words = panel.querySelector("[data-words]");
  const sound = window.phoneSound;

  function play(bar) {
    words.textContent = bar.text || (bar.audio ? `♪ ${bar.label}` : bar.label);
    sound.begin({ url: panel.dataset.sound, speed: 1, language: drawing.language });
    sound.play(bar.audio ? { kind: "audio", audio: bar.audio } : { kind: "words", text: bar.text, ssml: bar.ssml });
  }

  const draw = () => {
    const drawn = window.timeline.draw(svg, drawing);
    drawn.rects.forEach((rect, index) => { if (drawing.bars[index].can_play) rect.addEventListener("click", () => play(drawing.bars[index])); });
  };
  panel.querySelectorAll("[data-bar]").forEach((button) => button.addEventListener("click", () => play(drawing.bars[button.dataset.bar])));
  new ResizeObserver(draw).observe(svg);
  window.addEventListener("pagehide", sound.stop);
})();
