// The search field of every page, and the key that leads to it.
"use strict";

(() => {
  const KEY = "gitchange-keys";
  const form = document.querySelector("form.find");
  // A page that is for finding has a field of its own.
  const field = () => document.querySelector("[data-find]") || form.q;

  const isOn = () => {
    try {
      return localStorage.getItem(KEY) !== "off";
    } catch {
      return true;
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(`${form.getAttribute("action")}?q=${encodeURIComponent(form.q.value.trim())}`);
  });

  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") form.q.value = "";
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea, [contenteditable]");
    const slash = event.key === "/" && isOn() && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    const both = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
    if (!slash && !both) return;
    event.preventDefault();
    field().focus();
    field().select();
  });

  // A key by itself can be in the way of speech input, so it can be switched off (WCAG 2.1.4).
  for (const box of document.querySelectorAll("input.single-keys")) {
    box.checked = isOn();
    box.addEventListener("change", () => {
      try {
        localStorage.setItem(KEY, box.checked ? "on" : "off");
      } catch {
        box.checked = true; // it cannot be remembered, so nothing changed
      }
    });
  }
})();
