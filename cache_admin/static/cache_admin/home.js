/* The first page keeps itself up to date: numbers, who waits, and the machinery every 5 s, the chart every minute. */
"use strict";
(() => {
  const NOW_MS = 5000, CHART_MS = 60000;
  const COLOURS = { known: "#2e8b57", joined: "#2f9c95", generated: "#2f6fc4", unhappy: "#c0362c" };
  const $ = (id) => document.getElementById(id);
  const home = $("home");
  let chart = null;

  function element(name, text, className) {
    const node = document.createElement(name);
    if (text !== undefined) node.textContent = text;
    if (className) node.className = className;
    return node;
  }

  // -- numbers, waiting, signs

  function showNumbers(numbers) {
    for (const number of numbers) {
      const card = home.querySelector(`[data-number="${CSS.escape(number.name)}"]`);
      if (!card) continue;
      card.className = `home-number tone-${number.tone}`;
      card.href = number.url;
      card.querySelector("b").textContent = number.value;
      card.querySelector("span").textContent = number.label;
    }
  }

  function showWaiting(rows) {
    const list = $("home-waiting");
    const items = rows.map((row) => {
      const item = element("li"), name = element(row.url ? "a" : "span", row.question);
      if (row.url) name.href = row.url;
      const callers = element("a", row.callers, "home-callers");
      callers.href = row.calls_url;
      item.append(callers, name, element("small", `${row.topic} · ${row.longest}`));
      return item;
    });
    if (!list.contains(document.activeElement)) // who stands on a row with the keyboard keeps it
      list.replaceChildren(...(items.length ? items : [element("li", list.dataset.empty, "empty")]));
  }

  function showSigns(signs) {
    $("home-signs").replaceChildren(...signs.map((sign) => {
      const item = element("li");
      item.append(element("span", sign.text, `badge badge-${sign.tone}`), ` ${sign.name}`);
      return item;
    }));
  }

  async function ask(url) {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) throw new Error(response.status);
    return response.json();
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const now = await ask(home.dataset.now);
      showNumbers(now.groups.flatMap((group) => group.numbers));
      showWaiting(now.waiting);
      showSigns(now.signs);
      $("home-at").textContent = now.at;
      setLost(false);
    } catch {
      setLost(true);
    }
  }

  function setLost(isLost) {
    home.classList.toggle("is-lost", isLost);
    const text = isLost ? home.dataset.lost : "";
    if ($("home-lost").textContent !== text) $("home-lost").textContent = text;
  }

  // -- the chart

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function draw(hours) {
    const datasets = hours.series.map((row) => ({ label: row.label, data: row.values, backgroundColor: COLOURS[row.kind] }));
    const axis = { stacked: true, ticks: { color: colour("--body-quiet-color"), precision: 0 }, grid: { color: colour("--hairline-color") } };
    if (chart) chart.destroy();
    chart = new Chart($("home-chart"), {
      type: "bar",
      data: { labels: hours.labels, datasets },
      options: {
        animation: false, maintainAspectRatio: false, locale: window.amounts.language,
        scales: { x: { ...axis, grid: { display: false } }, y: { ...axis, beginAtZero: true } },
        plugins: { legend: { position: "bottom", labels: { color: colour("--body-fg"), boxWidth: 12 } } },
      },
    });
  }

  function tabulate(hours) {
    const table = $("home-table"), head = element("tr"), body = element("tbody"), top = element("thead");
    const cell = (name, text, scope) => Object.assign(element(name, text), scope ? { scope } : {});
    head.append(cell("th", table.dataset.hour, "col"), ...hours.series.map((row) => cell("th", row.label, "col")));
    hours.labels.forEach((label, number) => {
      const line = element("tr");
      line.append(cell("th", label, "row"), ...hours.series.map((row) => cell("td", window.amounts.count(row.values[number]))));
      body.append(line);
    });
    top.append(head);
    table.replaceChildren(top, body);
  }

  async function refreshChart() {
    if (document.hidden) return;
    try {
      const hours = await ask(`${home.dataset.hours}?${new URLSearchParams({ topic: $("home-topic").value })}`);
      draw(hours);
      tabulate(hours);
    } catch {
      setLost(true);
    }
  }

  $("home-topic").addEventListener("change", refreshChart);
  document.addEventListener("visibilitychange", () => { refresh(); refreshChart(); });
  new MutationObserver(refreshChart).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  setInterval(refresh, NOW_MS);
  setInterval(refreshChart, CHART_MS);
  refreshChart();
})();
