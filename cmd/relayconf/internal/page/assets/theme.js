// The chosen theme is set before the page is drawn. Without a choice, the system's counts.
"use strict";
try {
  const theme = localStorage.getItem("relayconf-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off: then the system's theme counts.
}
