// Runs before the page is painted: the reader's choice between light and dark, if one was made, and room for what
// works with scripts only.
"use strict";
document.documentElement.dataset.scripts = "";
try {
  const chosen = localStorage.getItem("gitchange-scheme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
} catch {
  // Storage is refused: the system's preference holds.
}
