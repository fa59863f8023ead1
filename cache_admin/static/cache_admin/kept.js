// Logging in, in another tab, has made a new token: the form takes it along. It is in a cookie that only this site can read.
"use strict";
document.querySelector("form[data-kept]").addEventListener("submit", (event) => {
  const found = document.cookie.split("; ").find((cookie) => cookie.startsWith("csrftoken="));
  if (found) event.target.elements.csrfmiddlewaretoken.value = found.slice("csrftoken=".length);
});
