// Runs before the page is painted: the reader's choice between light and dark, if one was made.
"use strict";
try {
  const chosen = localStorage.getItem("gitchange-scheme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.scheme = chosen;
} catch {
  // Storage is refused: the system's preference holds.
}
