"use strict";
// The editor: colours behind the text, completion, running without leaving the page, history. Without it the form works.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const PAINTED = { function: "em", keyword: "b" }, known = new Map();  // words; they come when it is shown
  const OWN = ["chart", "sort", "rows"], LONG = 2000, KEPT = 30, MOST = 8;
  const store = {
    get: () => { try { return JSON.parse(localStorage.getItem("sql") || "[]"); } catch { return []; } },
    set: (value) => { try { localStorage.setItem("sql", JSON.stringify(value)); } catch { /* no storage */ } },
  };

  // tokens: [text, what], what being the element that it is painted in
  const TOKEN = /(--[^\n]*|\/\*[^]*?(?:\*\/|$))|('(?:[^']|'')*(?:'|$))|("(?:[^"]|"")*(?:"|$))|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([\p{L}_][\p{L}\p{N}_]*)|[^]/gui;
  function tokens(text) {
    return [...text.matchAll(TOKEN)].map(([all, comment, string, , number, word]) =>
      [all, comment ? "i" : string ? "s" : number ? "u" : word && PAINTED[known.get(word.toLowerCase())], word]);
  }

  let text, paint, offers, found = [], chosen = 0, moved = false, running = null, broken = null;

  function draw() {
    paint.replaceChildren();
    let at = 0;
    for (const [part, what] of tokens(text.value)) {
      let piece = part;
      if (what) { piece = document.createElement(what); piece.textContent = part; }
      if (broken !== null && at <= broken && broken < at + part.length && part.trim()) {
        const mark = document.createElement("mark");
        mark.append(piece);
        piece = mark;
      }
      paint.append(piece);
      at += part.length;
    }
    paint.append("\n");
  }

  function write(from, to, what) {
    text.focus();
    text.setSelectionRange(from, to);
    // As if it were typed, so that it can be undone.
    if (!document.execCommand("insertText", false, what)) text.setRangeText(what, from, to, "end");
    changed();
  }
  function changed() { broken = null; text.removeAttribute("aria-invalid"); draw(); offer(); }

  // completion
  const tables = () => $$("[data-table]").map((each) => each.dataset.table);
  const columns = (table) => $$(`[data-table="${CSS.escape(table)}"] li button`).map((each) => each.textContent);
  function candidates() {
    const at = text.selectionStart, before = text.value.slice(0, at), parts = tokens(before);
    const last = parts.at(-1) || ["", ""];
    if (last[1] === "i") return [];
    if (last[1] === "s") {
      const typed = last[0].slice(1);
      return at && !/'$/.test(typed) ? [typed, JSON.parse($("#tables").dataset.values || "[]").map((value) => [value.replaceAll("'", "''"), "value"])] : [];
    }
    const typed = last[2] || "";
    const words = tokens(text.value).filter(([, what, word]) => word && what !== "i" && what !== "s").map(([all]) => all);
    const named = tables().filter((table) => words.includes(table));
    const dot = before.slice(0, at - typed.length).match(/([\p{L}_][\p{L}\p{N}_]*)\.$/u)?.[1];
    if (dot) {
      const alias = new RegExp(`([\\p{L}_][\\p{L}\\p{N}_]*)\\s+(?:as\\s+)?${dot}(?![\\p{L}\\p{N}_])`, "iu").exec(text.value)?.[1];
      const of = [dot, alias].find((name) => tables().includes(name));
      return [typed, of ? columns(of).map((name) => [name, "column"]) : []];
    }
    const previous = parts.filter(([all, what]) => all.trim() && what !== "i").at(typed ? -2 : -1)?.[0].toLowerCase();
    const all = [...named.flatMap(columns).map((name) => [name, "column"]), ...tables().map((name) => [name, "table"]),
      ...known];
    if (["from", "join"].includes(previous)) all.sort((one, other) => (other[1] === "table") - (one[1] === "table"));
    return [typed, all];
  }
  function offer(always = false) {
    const [typed, all] = candidates();
    const low = (typed || "").toLowerCase(), seen = new Set();
    found = !all || (!low && !always) ? [] : all.filter(([name]) => name.toLowerCase().startsWith(low) && name.toLowerCase() !== low && !seen.has(name) && seen.add(name)).slice(0, MOST).map(([name, what]) => ({ name, what, typed }));
    chosen = 0;
    moved = false;
    show();
  }
  function show() {
    offers.hidden = !found.length;
    offers.replaceChildren(...found.map(({ name, what }, nth) => {
      const item = document.createElement("li"), kind = document.createElement("i");
      kind.textContent = what;
      item.append(name, kind);
      item.id = `offer-${nth}`;
      item.role = "option";
      item.ariaSelected = String(nth === chosen);
      item.onpointerdown = (event) => { event.preventDefault(); chosen = nth; take(); };
      return item;
    }));
    if (!found.length) { text.removeAttribute("aria-activedescendant"); return; }
    text.setAttribute("aria-activedescendant", `offer-${chosen}`);
    const box = caret(text.selectionStart - found[0].typed.length);
    offers.style.left = `${Math.max(4, Math.min(box.left + scrollX, document.documentElement.clientWidth - offers.offsetWidth - 4))}px`;
    offers.style.top = `${box.bottom + scrollY + 4}px`;
  }
  function caret(at) {
    const walk = document.createTreeWalker(paint, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; at -= node.length, node = walk.nextNode()) {
      if (at > node.length || (at === node.length && node.nextSibling)) continue;
      const range = document.createRange();
      range.setStart(node, at);
      return range.getClientRects()[0] || range.getBoundingClientRect();
    }
    return paint.getBoundingClientRect();
  }
  function take() {
    const { name, what, typed } = found[chosen], at = text.selectionStart;
    const end = what === "value" ? (text.value[at] === "'" ? "" : "'") : what === "function" && text.value[at] !== "(" ? "(" : "";
    close();
    write(at - typed.length, at, name + end);
    close();
  }
  function close() { found = []; show(); }

  async function words(file) {
    const { keyword, fun } = await import(file);
    for (const word of fun) known.set(word, "function");
    for (const word of keyword) known.set(word, "keyword");
    draw();
  }
  async function list() {
    const got = await fetch("/sql/tables", { headers: { accept: "text/html" } });
    const fresh = $("#tables", new DOMParser().parseFromString(await got.text(), "text/html"));
    if (!got.ok || !fresh) return;
    $("#tables").replaceWith(fresh);
  }

  // running
  function selected() {
    const { selectionStart: from, selectionEnd: to, value } = text;
    // What stands before is blanked, so that lines and columns of errors are those of the whole text.
    return value.slice(from, to).trim() ? value.slice(0, from).replace(/[^\n]/g, " ") + value.slice(from, to) : value;
  }
  async function run(form) {
    running?.abort();
    const mine = running = new AbortController(), began = performance.now();
    const asked = Object.fromEntries(form);
    const since = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
    const tick = setInterval(() => { $("#elapsed").textContent = since(); }, 100);
    $("#cancel").hidden = false;
    $("#elapsed").textContent = "";
    $("#result").setAttribute("aria-busy", "true");
    let end = "";
    try {
      const got = await fetch("/sql", { method: "POST", body: new URLSearchParams(form), signal: mine.signal, headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await got.text(), "text/html"), fresh = $("#result", page);
      if (!fresh) throw new Error(got.statusText);
      $("#result").replaceWith(fresh);
      $("#unasked")?.remove();
      const where = $(".problem [data-line]");
      if (where) point(Number(where.dataset.line), Number(where.dataset.column)); else if (got.ok) keep(asked.q.trim());
      address(asked);
    } catch (error) {
      $("#result .problem")?.remove();
      end = error.name === "AbortError" ? `Cancelled after ${since()}` : `No answer: ${error.message}`;
    }
    clearInterval(tick);
    if (running !== mine) return;
    running = null;
    $("#cancel").hidden = true;
    $("#elapsed").textContent = end;
    $("#result").removeAttribute("aria-busy");
  }
  function point(line, column) {
    const before = text.value.split("\n").slice(0, line - 1);
    broken = before.join("\n").length + (line > 1 ? 1 : 0) + [...text.value.split("\n")[line - 1] || ""].slice(0, column - 1).join("").length;
    text.setAttribute("aria-invalid", "true");
    draw();
  }
  function address(asked) {
    const sql = text.value, told = OWN.filter((name) => asked[name]).map((name) => [name, asked[name]]);
    const given = new URLSearchParams([["q", sql], ...told]);
    const url = sql.length > LONG ? `/sql#q=${encodeURIComponent(sql)}` : `/sql?${given}`;
    if (url !== location.pathname + location.search + location.hash) history.pushState({}, "", url);
  }
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (!["ask", "again"].includes(form.id) || button?.hasAttribute("formaction")) return;
    event.preventDefault();
    const told = new FormData(form, button);
    if (form.id === "ask") told.set("q", selected());
    for (const name of OWN) if (told.has(name)) told.set(name, told.getAll(name).at(-1));
    run(told);
  });

  // history
  function keep(sql) {
    store.set([sql, ...store.get().filter((each) => each !== sql)].slice(0, KEPT));
    past();
  }
  function past() {
    const all = store.get();
    $("#history").hidden = !all.length;
    $("#history ul").replaceChildren(...all.map((sql) => {
      const item = document.createElement("li"), button = document.createElement("button");
      Object.assign(button, { type: "button", className: "link", textContent: sql.replace(/\s+/g, " "), title: sql });
      button.onclick = () => write(0, text.value.length, sql);
      item.append(button);
      return item;
    }));
  }

  document.addEventListener("click", (event) => {
    const name = event.target.closest("[data-insert]");
    if (name && text) {
      const before = text.value[text.selectionStart - 1];
      write(text.selectionStart, text.selectionEnd, (before && /[\w"')]/.test(before) ? " " : "") + (name.dataset.insert || name.textContent));
      close();
    }
    if (event.target.closest("#cancel")) running?.abort();
    if (event.target.closest("[data-forget]")) { store.set([]); past(); }
  });

  function key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); close(); $("#ask").requestSubmit(); return; }
    if (event.key === "Tab" && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) {
      const typing = /[\p{L}\p{N}_.']$/u.test(text.value.slice(0, text.selectionStart)) && text.selectionStart === text.selectionEnd;
      if (!found.length && typing) offer(true);
      if (found.length) { event.preventDefault(); take(); }
      return;
    }
    if (!found.length) return;
    if (event.key === "Escape") { event.stopPropagation(); close(); }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      moved = true;
      show();
    }
    if (event.key === "Enter" && moved) { event.preventDefault(); take(); }
  }

  function begin() {
    text = $("#ask textarea");
    if (!text || text.dataset.ready) return;
    [paint, offers, text.dataset.ready] = [$(".paint"), $("#offers"), "1"];
    text.setAttribute("aria-autocomplete", "list");
    text.setAttribute("aria-controls", "offers");
    const told = new URLSearchParams(location.hash.slice(1)).get("q");
    if (told) text.value = told;
    text.parentElement.classList.add("painted");
    text.addEventListener("input", changed);
    text.addEventListener("keydown", key);
    text.addEventListener("blur", close);
    const where = $(".problem [data-line]");
    draw();
    if (where) point(Number(where.dataset.line), Number(where.dataset.column));
    past();
    if (!known.size) words($("#tables").dataset.words).catch(() => {});
    list().catch(() => {});
  }
  // The page may be swapped, by going back.
  new MutationObserver(begin).observe(document.body, { childList: true });
  begin();
})();
