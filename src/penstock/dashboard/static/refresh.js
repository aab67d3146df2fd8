"use strict";
// A page that is only looked at keeps up. Nothing that somebody reads, opened or stands on is taken from under him.
(() => {
  const $ = (selector) => document.querySelector(selector);
  setInterval(() => {
    if (document.hidden || !$("#tip").hidden || $("dialog[open], main details[open]")) return;
    if ($("main").contains(document.activeElement) || !getSelection().isCollapsed) return;
    window.penstock.swap(location.href, { push: false, quiet: true });
  }, 60000);
})();
