// What a page can do beyond being read: switch its colours, copy commands.
// Everything works without it; what needs it is hidden until it runs.
"use strict";

(() => {
  const root = document.documentElement;

  const scheme = document.querySelector(".scheme-switch");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const current = () => root.dataset.scheme || (dark.matches ? "dark" : "light");
  const tell = () => scheme.setAttribute("aria-pressed", String(current() === "dark"));
  scheme.hidden = false;
  tell();
  dark.addEventListener("change", tell);
  scheme.addEventListener("click", () => {
    root.dataset.scheme = current() === "dark" ? "light" : "dark";
    tell();
    try {
      localStorage.setItem("gitchange-scheme", root.dataset.scheme);
    } catch {
      // The choice holds for this page only.
    }
  });

  for (const pre of document.querySelectorAll("pre.shell")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const code = pre.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        document.execCommand("copy");
      }
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    const frame = document.createElement("div");
    frame.className = "copyable";
    pre.replaceWith(frame);
    frame.append(pre, button);
  }
})();
