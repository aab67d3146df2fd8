"use strict";
// Before anything is painted, so that nothing flashes.
try {
  const theme = new URLSearchParams(location.search).get("theme") || localStorage.getItem("theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch { /* no storage: as the system has it */ }
