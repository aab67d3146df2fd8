"use strict";
// The page of what happens now: rows come in by themselves. All that others wrote is put in as text, never as HTML.
(() => {
  const MOST = 200, REFRESH = 2000, SUMMARY = 30000;
  const $ = (selector, from = document) => from.querySelector(selector);
  let waiting = [], timer = 0, asked = 0, came = 0, online = null;
  const isPaused = () => $("[data-pause]")?.getAttribute("aria-pressed") === "true";

  function fits(row) {
    const { type, text } = $("[data-sift]").elements;
    return (!type.value || $("b", row).textContent === type.value) && row.dataset.said.includes(text.value.trim().toLowerCase());
  }
  const note = (row, session) => { row.dataset.said = [$("b", row), $(".page", row), $(".about", row)].map((each) => each.textContent).concat(session).join(" ").toLowerCase(); };

  function sift() {
    let shown = 0;
    for (const row of $("#feed").children) { row.hidden = !fits(row); shown += !row.hidden; }
    $("[data-empty]").hidden = shown > 0;
  }

  function row(event) {
    const made = $("#entry").content.firstElementChild.cloneNode(true);
    const at = new Date(event.at * 1000), time = $("time", made), link = $("a", made);
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleTimeString("en-GB", { timeZone: $("#feed").dataset.zone });
    $("b bdi", made).textContent = event.type;
    $(".page bdi", made).textContent = event.page || "";
    $(".about bdi", made).textContent = [event.source, event.device, event.country].filter(Boolean).join(" · ");
    if (event.session) {
      link.hidden = false;
      link.href = `/session?${new URLSearchParams({ id: event.session, day: time.dateTime.slice(0, 10) })}`;
    }
    note(made, event.session || "");
    made.classList.add("new");
    return made;
  }

  function show(events) {
    const feed = $("#feed"), types = $("[data-sift]").elements.type;
    const known = new Set([...types.options].map((option) => option.value));
    for (const event of events) {
      feed.prepend(row(event));
      if (!known.has(event.type) && known.add(event.type).size <= MOST) types.add(new Option(event.type, event.type));
    }
    while (feed.children.length > MOST) feed.lastElementChild.remove();
    sift();
  }

  async function refresh() {
    timer = 0;
    asked = Date.now();
    let page;
    try {
      const got = await fetch(`${location.pathname}?feed=no`, { headers: { accept: "text/html" } });
      if (!got.ok) return;
      page = new DOMParser().parseFromString(await got.text(), "text/html");
    } catch { return; }
    const focused = document.activeElement?.getAttribute?.("href");
    for (const fresh of page.querySelectorAll("[data-part]")) $(`[data-part="${fresh.dataset.part}"]`)?.replaceWith(fresh);
    if (focused && document.activeElement === document.body) $(`main a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  function hear(now, event) {
    const feed = $("#feed");
    if (!feed) return;
    feed.dataset.stream = `/live?after=${event.lastEventId}`;
    online = now.online;
    came += now.events.length;
    $('[data-now="online"]').textContent = now.online.toLocaleString("en");
    if (now.fresh) { feed.replaceChildren(); waiting = []; }
    if (isPaused()) {
      waiting = [...waiting, ...now.events].slice(-MOST);
      $("[data-pause]").textContent = `Resume (${waiting.length} new)`;
    } else show(now.events);
    timer ||= setTimeout(refresh, Math.max(250, asked + REFRESH - Date.now()));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pause]");
    if (!button) return;
    const pause = !isPaused();
    button.setAttribute("aria-pressed", String(pause));
    button.textContent = pause ? "Resume" : "Pause";
    if (!pause) { show(waiting); waiting = []; }
  });
  document.addEventListener("input", (event) => { if (event.target.closest("[data-sift]")) sift(); });
  document.addEventListener("submit", (event) => { if (event.target.matches("[data-sift]")) event.preventDefault(); });
  setInterval(() => {
    if (!document.hidden && online !== null && !isPaused()) $("#summary").textContent = `${online} online, ${came} events in 30 seconds`;
    came = 0;
  }, SUMMARY);

  for (const each of $("#feed").children) note(each, new URLSearchParams($("a", each).search).get("id") || "");
  $("[data-pause]").hidden = false;
  window.penstock.live(hear);
})();
