// Brings a part of the page up to date every two seconds while something runs, and the whole page when it is over.
"use strict";
for (const part of document.querySelectorAll("[data-progress]")) {
  const isRunning = () => part.querySelector("[data-running]") !== null;
  const update = async () => {
    try {
      const response = await fetch(part.dataset.progress, { credentials: "same-origin" });
      if (response.ok) {
        part.innerHTML = await response.text(); // our own page's HTML
        if (!isRunning()) return window.location.reload();
      }
    } catch {
      // the network is away for a moment: the next try may find it again
    }
    window.setTimeout(update, 2000);
  };
  if (isRunning()) window.setTimeout(update, 2000);
}
