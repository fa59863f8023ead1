/* What is around every page: the menu, the drawer of filters, tables that become cards, and "/" for the search. */
"use strict";
(() => {
  const root = document.documentElement;
  const narrow = window.matchMedia("(max-width: 1024px)");
  const keep = (name, value) => { try { localStorage.setItem(`house.${name}`, value); } catch { /* not kept, but works */ } };

  // -- the menu: beside the page, or over it where there is no room

  const menuButton = document.getElementById("menu-button"), menu = document.getElementById("house-menu");

  const isMenuOpen = () => narrow.matches ? root.hasAttribute("data-menu-over") : root.dataset.menu === "open";

  function setMenu(isOpen) {
    if (narrow.matches) root.toggleAttribute("data-menu-over", isOpen);
    else keep("menu", root.dataset.menu = isOpen ? "open" : "closed");
    tellMenu();
  }

  function tellMenu() {
    menuButton.setAttribute("aria-expanded", isMenuOpen());
  }

  if (menuButton && menu) {
    menuButton.addEventListener("click", () => {
      setMenu(!isMenuOpen());
      if (narrow.matches && isMenuOpen()) menu.querySelector("a").focus();
    });
    narrow.addEventListener("change", () => { root.removeAttribute("data-menu-over"); tellMenu(); });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !narrow.matches || !isMenuOpen()) return;
      setMenu(false);
      menuButton.focus();
    });
    document.addEventListener("click", (event) => {
      if (narrow.matches && isMenuOpen() && !menu.contains(event.target) && !menuButton.contains(event.target)) setMenu(false);
    });
    tellMenu();
  }

  // -- the drawer of filters

  const filterButton = document.getElementById("filter-button");

  function setFilters(state) {
    keep("filters", root.dataset.filters = state);
    filterButton.setAttribute("aria-expanded", state === "open");
  }

  if (filterButton && document.getElementById("changelist-filter")) {
    filterButton.addEventListener("click", () => setFilters(root.dataset.filters === "open" ? "closed" : "open"));
    setFilters(root.dataset.filters);
  } else if (filterButton) {
    filterButton.hidden = true;
  }

  // -- a list's cells are named, so that a narrow page can show each row as a card

  const list = document.getElementById("result_list");
  if (list) {
    const names = [...list.querySelectorAll("thead th")].map((head) => (head.querySelector(".text") || head).textContent.trim());
    for (const row of list.tBodies[0].rows) [...row.cells].forEach((cell, place) => { cell.dataset.name = names[place] || ""; });
  }

  // -- Django's signs beside a search among many choices have a name, but do not say what they are

  window.addEventListener("load", () => setTimeout(() => {
    for (const sign of document.querySelectorAll(".selector .help-tooltip[aria-label]")) sign.setAttribute("role", "img");
  }));

  // -- the menu of the person closes when one goes elsewhere

  const userMenu = document.getElementById("user-menu");
  if (userMenu) {
    document.addEventListener("click", (event) => { if (!userMenu.contains(event.target)) userMenu.open = false; });
    userMenu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      userMenu.open = false;
      userMenu.querySelector("summary").focus();
    });
  }

  // -- "/" leads to the search

  document.addEventListener("keydown", (event) => {
    const search = document.querySelector("#searchbar, [data-searchbar]");
    const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || !search || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    search.focus();
    search.select();
  });
})();
