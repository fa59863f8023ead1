/* Before anything is drawn: whether the menu and the drawer of filters are open, as they were left. */
"use strict";
(() => {
  const root = document.documentElement;
  const read = (name) => { try { return localStorage.getItem(`house.${name}`); } catch { return null; } };
  root.dataset.menu = read("menu") || "open";
  root.dataset.filters = read("filters") || "closed";
})();
