// What passes with time, which a site built from commits does not know: what is overdue by the reader's clock
// (time[data-due], seconds since 1970; the mark to reveal is .late within the same [data-limit]), and today (data-day).
"use strict";

(() => {
  const now = Date.now() / 1000;
  let late = 0;
  for (const time of document.querySelectorAll("time[data-due]")) {
    if (Number(time.dataset.due) >= now) continue;
    const item = time.closest("[data-limit]");
    if (!item) continue;
    item.classList.add("is-late");
    for (const mark of item.querySelectorAll(".late")) mark.hidden = false;
    late += 1;
  }
  for (const count of document.querySelectorAll("[data-late-count]")) {
    count.textContent = String(late);
    count.closest("[data-late-notice]").hidden = late === 0;
  }
  const today = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const name = `${today.getFullYear()}-${two(today.getMonth() + 1)}-${two(today.getDate())}`;
  for (const day of document.querySelectorAll(`[data-day="${name}"]`)) {
    day.classList.add("today");
    for (const mark of day.querySelectorAll(".today-mark")) mark.hidden = false;
  }
})();
