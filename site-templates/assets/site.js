// What a page can do beyond being read: switch its colours, copy commands, filter a table.
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

  const filter = document.querySelector("form.filter");
  const table = document.querySelector("table.changes");
  if (filter && table) {
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
    const hits = filter.querySelector(".hits");
    const apply = () => {
      const words = filter.q.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const { row, text } of rows) {
        const data = row.dataset;
        const fits =
          words.every((word) => text.includes(word)) &&
          ["status", "risk", "type"].every((name) => !filter[name].value || data[name] === filter[name].value) &&
          (!filter.system.value || data.system.split(" ").includes(filter.system.value));
        row.hidden = !fits;
        shown += fits;
      }
      hits.textContent = shown === rows.length ? `${shown} changes` : `${shown} of ${rows.length} changes`;
    };
    filter.hidden = false;
    filter.addEventListener("input", apply);
    filter.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }
})();
