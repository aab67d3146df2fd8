"use strict";
// Swapping <main>, tooltips, keys, the live pill. Without it every link and form still works.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const say = (text) => { $("#said").textContent = text; };
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* no storage */ } },
  };
  let asked = 0, again = 0, busy = false;

  async function swap(url, { push = true, quiet = false } = {}) {
    if (quiet && busy) return; // what somebody asked for goes before what only comes late
    clearTimeout(again);
    const mine = ++asked;
    const main = $("main");
    busy = !quiet;
    if (!quiet) main.setAttribute("aria-busy", "true");
    let text, where;
    try {
      const got = await fetch(url, { headers: { accept: "text/html" } });
      [text, where] = [await got.text(), got.url];
    } catch { if (!quiet) location.href = url; return; }
    if (mine !== asked) return;
    busy = false;
    const page = new DOMParser().parseFromString(text, "text/html");
    const fresh = $("main", page);
    if (!fresh || fresh.dataset.page !== main.dataset.page) { location.href = url; return; }
    const focused = document.activeElement?.getAttribute?.("href");
    const [x, y] = [scrollX, scrollY];
    main.replaceWith(fresh);
    const nav = $(".top nav"), freshNav = $(".top nav", page);
    if (nav && freshNav) nav.replaceWith(freshNav);
    document.title = page.title;
    if (push) history.pushState({}, "", where);
    if (push) remember();
    scrollTo(x, y);
    if (focused && !quiet) ($(`main a[href="${CSS.escape(focused)}"]`) || fresh).focus({ preventScroll: true });
    prepare();
    if (!quiet) say("Updated");
  }

  function remember() {
    const period = new URLSearchParams(location.search).get("period");
    if (period !== "custom") store.set("period", period || "");
  }

  const isOurs = (link) => link && link.origin === location.origin && link.hasAttribute("href");

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    if (!isOurs(link) || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const to = event.altKey && link.dataset.not ? new URL(link.dataset.not, location.href).href : link.href;
    swap(to);
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-swap]") || form.method !== "get") return;
    event.preventDefault();
    const query = new URLSearchParams(new FormData(form));
    swap(`${form.getAttribute("action")}?${query}`);
  });

  addEventListener("popstate", () => swap(location.href, { push: false }));

  // tooltips: a chart's marks carry what to show
  const tip = $("#tip");
  function lines(mark, chart) {
    const names = JSON.parse(chart.dataset.series || "[]");
    const values = (mark.dataset.values || "").split("|").map((value, nth) => (names[nth] ? `${names[nth]}: ${value}` : value));
    const { before, then, delta } = mark.dataset;
    return [mark.dataset.label, ...values, before && `${then || chart.dataset.before}: ${before}  ${delta || ""}`];
  }
  function cursor(mark, chart) {
    chart.classList.add("on");
    const heights = (mark.dataset.y || "").split("|");
    for (const line of $$(".cursor line", chart)) for (const end of ["x1", "x2"]) line.setAttribute(end, `${mark.dataset.x}%`);
    $$(".cursor circle", chart).forEach((dot, nth) => {
      dot.setAttribute("cx", `${mark.dataset.x}%`);
      dot.setAttribute("cy", `${heights[nth] || -99}%`);
    });
  }
  function show(mark, x, y) {
    hide();
    const chart = mark.closest("svg.chart") || mark;
    tip.textContent = lines(mark, chart).filter(Boolean).join("\n");
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - box.width - 4))}px`;
    tip.style.top = `${Math.max(4, y - box.height - 12)}px`;
    if (mark.dataset.y !== undefined) cursor(mark, chart);
  }
  function hide() {
    tip.hidden = true;
    for (const chart of $$("svg.chart.on")) chart.classList.remove("on");
  }
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest?.("[data-label]");
    if (mark) show(mark, event.clientX, event.clientY); else if (!tip.hidden) hide();
  });
  addEventListener("scroll", hide, { passive: true });

  // drag over the main chart: a period of one's own
  let from = null;
  const day = (event) => event.target.closest?.("svg.area [data-from]")?.dataset.from.slice(0, 10);
  document.addEventListener("pointerdown", (event) => { from = event.button ? null : day(event); });
  document.addEventListener("pointerup", (event) => {
    const to = day(event);
    if (from && to && from !== to) {
      const url = new URL(location.href);
      const [first, last] = [from, to].sort();
      for (const [name, value] of Object.entries({ period: "custom", from: first, to: last })) url.searchParams.set(name, value);
      url.searchParams.delete("grain");
      swap(url.href);
    }
    from = null;
  });

  // keys
  let gone = false;
  function open(fill) {
    const dialog = $("#dialog");
    dialog.replaceChildren();
    dialog.onkeydown = null;
    fill(dialog);
    dialog.showModal();
  }
  const make = (tag, text, parent) => { const made = document.createElement(tag); made.textContent = text; parent?.append(made); return made; };

  function help() {
    open((dialog) => {
      make("h2", "Keyboard", dialog);
      const table = make("table", "", dialog);
      const rows = [["? ", "this list"], ["⌘K, Ctrl K", "find a page or a command"], ["g, then a letter", "go to a page: " + $$("[data-go]").map((a) => `${a.dataset.go} ${a.textContent}`).join(", ")],
        ["d e h w f t n m p y l a", "period"], ["c", "period of one's own"], ["← →", "period before, after"], ["x", "comparison on, off"], ["/", "add a filter"], ["j k, Enter", "move through rows, filter by one (Alt: exclude it)"], ["Esc", "close; clear filters"]];
      for (const [key, meaning] of rows) { const row = table.insertRow(); make("th", key, row); make("td", meaning, row); }
      const label = make("label", "", dialog);
      const box = make("input", "", label);
      box.type = "checkbox";
      box.checked = store.get("keys") !== "off";
      box.onchange = () => store.set("keys", box.checked ? "on" : "off");
      label.append(" single letters are on");
    });
  }

  function palette() {
    open((dialog) => {
      const input = make("input", "", dialog);
      input.placeholder = "Page, period, command";
      input.setAttribute("aria-label", input.placeholder);
      const list = make("div", "", dialog);
      list.className = "found";
      const entries = [...$$("[data-go]").map((a) => [a.textContent, () => { location.href = a.href; }]),
        ...$$(".controls .pop a").map((a) => [a.textContent.trim().replace(/\s+/g, " "), () => swap(a.href)]),
        ["Theme: switch", theme], ["Keyboard", help]];
      const draw = () => {
        list.replaceChildren();
        for (const [name, act] of entries.filter(([name]) => name.toLowerCase().includes(input.value.toLowerCase())).slice(0, 12)) {
          const button = make("button", name, list);
          button.className = "quiet";
          button.onclick = () => { dialog.close(); act(); };
        }
      };
      input.oninput = draw;
      input.onkeydown = (event) => { if (event.key === "Enter") $("button", list)?.click(); };
      dialog.onkeydown = (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], all = [input, ...list.children];
        if (step) { event.preventDefault(); all[all.indexOf(document.activeElement) + step]?.focus(); }
      };
      draw();
    });
  }

  function theme() {
    const next = { undefined: "dark", dark: "light", light: undefined }[document.documentElement.dataset.theme];
    if (next) document.documentElement.dataset.theme = next; else delete document.documentElement.dataset.theme;
    store.set("theme", next || "");
    say(`Theme: ${next || "automatic"}`);
  }

  function move(step) {
    const rows = $$(".list tbody th > a:first-of-type");
    const at = rows.indexOf(document.activeElement);
    rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key === "k") { event.preventDefault(); return palette(); }
    const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (event.key === "Escape") {
      hide();
      const menu = $("details.menu[open]");
      if (menu) { menu.open = false; $("summary", menu).focus(); } else if (!typing) $("[data-clear]")?.click();
      return;
    }
    if (typing || event.metaKey || event.ctrlKey || event.altKey || (event.key.length === 1 && store.get("keys") === "off")) return;
    if (gone) { gone = false; $(`[data-go="${CSS.escape(event.key)}"]`)?.click(); return; }
    const acts = {
      "?": help, "/": () => $("[data-filter]")?.click(), j: () => move(1), k: () => move(-1), g: () => { gone = true; setTimeout(() => { gone = false; }, 1500); },
      c: () => { const menu = $("[data-custom]")?.closest("details"); if (menu) { menu.open = true; $("[data-custom]").focus(); } },
    };
    const act = acts[event.key] || (() => { $(`.controls [data-key="${CSS.escape(event.key)}"]`)?.click(); return false; });
    if (act() !== false) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) help();
    if (event.target.closest("[data-palette]")) palette();
    if (event.target.closest("[data-theme-switch]")) theme();
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText($(copy.dataset.copy).textContent).then(() => say("Copied"));
    if (event.target === $("#dialog")) $("#dialog").close();
  });

  // how long ago
  function ago() {
    for (const each of $$("[data-ago]")) {
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(each.dateTime)) / 1000));
      const text = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.round(seconds / 60)} min` : seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
      each.dataset.exact ||= each.textContent;
      each.textContent = `${each.dataset.exact} (${text} ago)`;
    }
  }

  // one stream for the whole page, closed while nobody looks
  let stream = null;
  const listeners = [];
  window.penstock = { live: (hear) => listeners.push(hear), swap };
  function live() {
    const pill = $("[data-live]");
    if (!pill || document.hidden || stream) return;
    stream = new EventSource($("[data-stream]")?.dataset.stream || "/live");
    stream.addEventListener("now", (event) => {
      const now = JSON.parse(event.data);
      pill.classList.remove("lost");
      $("[data-online]").textContent = now.online.toLocaleString();
      for (const hear of listeners) hear(now, event);
    });
    stream.onerror = () => {
      pill.classList.add("lost");
      if (stream?.readyState === EventSource.CLOSED) { stream = null; setTimeout(live, 30000); }  // refused: browsers give up
    };
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) { stream.close(); stream = null; } else live();
  });

  // What came late is not put under somebody's hands.
  function follow() {
    if ($("main :is(input, textarea, select):focus, main details[open]")) again = setTimeout(follow, 700);
    else swap(location.href, { push: false, quiet: true });
  }

  function prepare() {
    ago();
    if ($("main[data-late]")) again = setTimeout(follow, 700);
  }
  if (location.pathname === "/" && !location.search && store.get("period")) {
    history.replaceState({}, "", `/?period=${store.get("period")}`);
    swap(location.href, { push: false });
  }
  setInterval(ago, 10000);
  prepare();
  live();
})();
