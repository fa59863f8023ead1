/* The picture of a call while it grows: three lanes of bars over the seconds. */
"use strict";
window.phoneTimeline = (() => {
  const SVG = "http://www.w3.org/2000/svg", LEFT = 80, LANES = [gettext("Heard"), "Lambda", gettext("Dead air")], LANE = 34, BAR = 18, TOP = 4;
  const LONG_SILENCE = 3; // seconds; wait policies promise 2.5, and the clock of a page is not exact
  const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300];
  let svg = null, bars = [], open = null;

  function make(name, attributes, text) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text) node.textContent = text;
    return node;
  }

  const classOfStatus = (status) => (["200", "206"].includes(status) ? "is-ready" : status === "202" ? "is-waiting" : "is-failed");

  /** Notes what an event adds to the picture. */
  function add(event) {
    if (["prompt", "part", "audio"].includes(event.kind)) {
      close(event.at);
      if (event.kind !== "audio" && !event.text) return; // a pause: the lane of dead air has it
      open = { lane: 0, at: event.at, seconds: event.seconds || 0.3, kind: `is-${event.kind}`, title: event.text || gettext("Wait sound") };
      bars.push(open);
    } else if (event.kind === "cut" || event.kind === "end") {
      close(event.at);
    } else if (event.kind === "lambda") {
      const title = `${event.name} ${event.status}, ${Math.round(event.seconds * 1000)} ms`;
      bars.push({ lane: 1, at: event.at, seconds: event.seconds, kind: classOfStatus(event.status), title });
    } else if (event.kind === "silence") {
      const kind = event.seconds > LONG_SILENCE ? "is-silence is-long" : "is-silence";
      bars.push({ lane: 2, at: event.at, seconds: event.seconds, kind, title: interpolate(gettext("%s of dead air"), [window.amounts.seconds(event.seconds)]) });
    }
  }

  function close(at) {
    if (open && open.at + open.seconds > at) open.seconds = Math.max(0.05, at - open.at);
    open = null;
  }

  function draw(now) {
    const width = svg.clientWidth || 600, span = Math.max(20, now * 1.04), scale = (width - LEFT - 24) / span;
    const bottom = TOP + LANES.length * LANE, x = (seconds) => LEFT + seconds * scale;
    const nodes = [];
    const step = STEPS.find((seconds) => seconds * scale >= 46) || 600;
    for (let at = 0; at <= span; at += step) {
      nodes.push(make("line", { class: "grid", x1: x(at), x2: x(at), y1: TOP, y2: bottom }));
      nodes.push(make("text", { x: x(at), y: bottom + 15, "text-anchor": "middle" }, `${at} s`));
    }
    LANES.forEach((name, lane) => nodes.push(make("text", { x: 0, y: TOP + lane * LANE + LANE / 2 + 4 }, name)));
    for (const bar of bars) {
      const end = Math.min(bar.at + bar.seconds, Math.max(now, bar.at + 0.05));
      const rect = make("rect", {
        class: bar.kind, x: x(bar.at).toFixed(1), y: TOP + bar.lane * LANE + (LANE - BAR) / 2, rx: 3, height: BAR,
        width: Math.max(2, (end - bar.at) * scale - 1).toFixed(1),
      });
      rect.append(make("title", {}, bar.title));
      nodes.push(rect);
    }
    if (now > 0) nodes.push(make("line", { class: "now", x1: x(now), x2: x(now), y1: TOP, y2: bottom }));
    svg.replaceChildren(...nodes);
  }

  return {
    LONG_SILENCE,
    attach(node) { svg = node; draw(0); },
    begin() { bars = []; open = null; draw(0); },
    add,
    draw,
    describe(text) { svg.setAttribute("aria-label", text); },
  };
})();
