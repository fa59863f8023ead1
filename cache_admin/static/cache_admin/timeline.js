/* Draws a timeline of bars, and lists them: for previews of waits and for calls that were. */
"use strict";
window.timeline = (() => {
  const SVG = "http://www.w3.org/2000/svg";
  const TOP = 4, HEIGHT = 30, AXIS = TOP + HEIGHT + 6, LETTER = 6.2;
  const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600];

  function make(name, attributes, text = "") {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  /** An HTML element with classes and words. */
  function tag(name, classes = "", text = "") {
    const made = document.createElement(name);
    if (classes) made.className = classes;
    made.textContent = text;
    return made;
  }

  const { seconds } = window.amounts;

  function drawAxis(svg, scale, width, last) {
    const step = STEPS.find((one) => scale(one) - scale(0) >= 46) || 1200;
    for (let at = 0; at <= last; at += step) {
      const x = scale(at);
      svg.append(make("line", { x1: x, x2: x, y1: TOP, y2: AXIS, class: "axis" }));
      svg.append(make("text", { x, y: AXIS + 13, "text-anchor": at === 0 ? "start" : x > width - 12 ? "end" : "middle" }, `${at} s`));
    }
  }

  function drawBar(svg, bar, scale) {
    const x = scale(bar.at), width = Math.max(1.5, scale(bar.at + bar.seconds) - x - 1);
    const isSilence = bar.kind === "silence", height = isSilence ? 10 : HEIGHT;
    const rect = make("rect", { x, width, y: TOP + (HEIGHT - height) / 2, height, rx: Math.min(4, width / 2), class: `bar-${bar.tone || bar.kind}` });
    rect.append(make("title", {}, `${seconds(bar.at)}: ${bar.label}${bar.text ? `, ${bar.text}` : ""} (${seconds(bar.seconds)})`));
    svg.append(rect);
    const words = isSilence ? "" : (bar.text || bar.label), room = Math.floor((width - 12) / LETTER);
    if (room >= 4) {
      const shown = words.length > room ? `${words.slice(0, room - 1)}…` : words;
      svg.append(make("text", { x: x + 6, y: TOP + HEIGHT / 2 + 4, class: "in-bar" }, shown));
    }
    return rect;
  }

  /** Fills an <svg>; `bars` have at, seconds, kind, label, text and perhaps tone. Returns what moves and marks the playhead. */
  function draw(svg, { bars, last, marks = [] }) {
    const width = svg.clientWidth || 600;
    const scale = (at) => 1 + (at / Math.max(last, 1)) * (width - 2);
    svg.replaceChildren();
    drawAxis(svg, scale, width, last);
    const rects = bars.map((bar) => drawBar(svg, bar, scale));
    marks.filter((at) => at <= last).forEach((at) => svg.append(make("line", { x1: scale(at), x2: scale(at), y1: 0, y2: AXIS, class: "mark" })));
    const head = make("line", { x1: 0, x2: 0, y1: 0, y2: AXIS, class: "head", visibility: "hidden" });
    svg.append(head);
    return {
      rects,
      move(at) {
        head.setAttribute("visibility", at === null ? "hidden" : "visible");
        if (at !== null) ["x1", "x2"].forEach((name) => head.setAttribute(name, scale(Math.min(at, last))));
      },
    };
  }

  /** One row of the list that says the same in words. */
  function row(bar) {
    const item = tag("li");
    item.append(tag("time", "", seconds(bar.at)), tag("span", "for", seconds(bar.seconds)), tag("span", `what bar-${bar.tone || bar.kind}`, bar.label), tag("span", "words", bar.text || ""));
    return item;
  }

  return { draw, row, tag, seconds };
})();
