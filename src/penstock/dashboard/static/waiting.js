"use strict";
// Waits for the first event: looks again when something happens, and every few seconds. Only the line that waits changes.
(() => {
  const line = (from = document) => from.querySelector("[data-waiting], [data-received]");
  const isDone = () => !line() || (document.querySelector("main").dataset.page === "setup" && line().matches("[data-received]"));
  let looking = false;
  async function look() {
    if (isDone() || looking || document.hidden) return;
    looking = true;
    try {
      const got = await fetch(location.href, { headers: { accept: "text/html" } });
      const fresh = line(new DOMParser().parseFromString(await got.text(), "text/html"));
      if (!fresh) location.reload();
      else if (fresh.textContent !== line().textContent) line().replaceWith(fresh);
    } catch { /* next time */ } finally { looking = false; }
  }
  window.penstock?.live?.(look);
  setInterval(look, 3000);
})();
