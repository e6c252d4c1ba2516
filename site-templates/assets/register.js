// The register: all changes in one table. Filters and sorting are kept in the address; only the rows that are seen
// are in the page, so that a hundred thousand scroll like fifty.
"use strict";

(() => {
  const { rows, element, isolated, fold, number } = gitchange;
  const app = document.querySelector(".register");
  const form = app.querySelector("form.filter");
  const table = app.querySelector("table");
  const body = table.tBodies[0];
  const scroller = app.querySelector(".rows");
  const hits = app.querySelector(".hits");
  const said = app.querySelector(".said");
  const chips = app.querySelector(".chips");
  const nothing = app.querySelector(".empty");
  const clearing = app.querySelector(".clear");
  const exporting = app.querySelector(".export");

  const NAMES = ["q", "status", "type", "system", "risk", "person", "requester", "waiting", "customer", "from", "to", "attention"];
  const AROUND = 12; // rows above and below those that are seen
  const ORDER = "-requested";

  const blocks = rows.manifest.blocks.length;
  const texts = new Array(rows.total); // what the words are looked for in, made when first asked
  const loaded = []; // blocks that are there, as [first row, row after the last]
  let wanted = {}; // filters by name
  let sorted = ORDER;
  let shown = []; // rows that fit, in order
  let active = 0; // the place among them that the keyboard is at
  let height = 0;
  let failed = false;

  // -- the address ------------------------------------------------------------------------------

  const read = () => {
    const given = new URLSearchParams(location.search);
    wanted = {};
    for (const name of NAMES) if (given.get(name)) wanted[name] = given.get(name);
    const column = given.get("sort") || ORDER;
    sorted = KEYS[column.replace(/^-/, "")] ? column : ORDER;
    for (const name of NAMES) {
      const field = form.elements[name];
      const value = wanted[name] || "";
      if (field.type === "checkbox") field.checked = value === "1";
      else {
        if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) {
          field.add(new Option(value, value));
        }
        field.value = value;
      }
    }
  };

  const write = () => {
    const told = new URLSearchParams();
    for (const name of NAMES) if (wanted[name]) told.set(name, wanted[name]);
    if (sorted !== ORDER) told.set("sort", sorted);
    const query = told.toString();
    if (`?${query}` !== (location.search || "?")) {
      history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
    }
  };

  // -- filtering --------------------------------------------------------------------------------

  const textOf = (row) => (texts[row] ??= fold(`${rows.label(row)} ${rows.id[row]}`));

  // For a shared column: which of its values fit, so that each is looked at once and not in every row.
  const fitting = (name, test) => {
    const column = rows.shared[name];
    const fits = column.values.map(test);
    return (row) => fits[column.of[row]];
  };

  const tests = () => {
    const found = [];
    const is = (name) => fitting(name, (value) => value === wanted[name]);
    for (const name of ["status", "type", "risk", "requester"]) if (wanted[name]) found.push(is(name));
    if (wanted.system) found.push(fitting("systems", (names) => names.includes(wanted.system)));
    if (wanted.waiting) found.push(fitting("waiting", (names) => names.includes(wanted.waiting)));
    if (wanted.customer) {
      const yes = wanted.customer === "yes";
      found.push(fitting("systems", (names) => names.some((name) => rows.customer.has(name)) === yes));
    }
    if (wanted.person) {
      const asked = fitting("requester", (name) => name === wanted.person);
      const signed = fitting("signers", (names) => names.includes(wanted.person));
      found.push((row) => asked(row) || signed(row));
    }
    if (wanted.attention) found.push((row) => rows.attention[row] === 1 || rows.isOverdue(row));
    const from = wanted.from ? rows.begin(wanted.from) : NaN;
    const to = wanted.to ? rows.begin(wanted.to) + 24 * 3600 : NaN;
    if (!Number.isNaN(from)) found.push((row) => rows.asked[row] >= from);
    if (!Number.isNaN(to)) found.push((row) => rows.asked[row] < to);
    // Last, as it costs most.
    for (const word of fold(wanted.q || "").split(/\s+/).filter(Boolean)) {
      found.push((row) => textOf(row).includes(word));
    }
    return found;
  };

  // -- sorting ----------------------------------------------------------------------------------

  // For a shared column: the place of each value in the order of all.
  const ranked = (name, key) => {
    const column = rows.shared[name];
    const keys = column.values.map(key);
    const order = keys.map((_, i) => i).sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : 0));
    const rank = new Uint32Array(keys.length);
    order.forEach((value, place) => (rank[value] = place > 0 && keys[order[place - 1]] === keys[value] ? rank[order[place - 1]] : place));
    return (row) => rank[column.of[row]];
  };

  const KEYS = {
    change: () => textOf,
    status: () => ranked("status", (value) => rows.manifest.statuses.indexOf(value)),
    risk: () => ranked("risk", (value) => rows.manifest.risks.indexOf(value)),
    type: () => ranked("type", (value) => value || ""),
    systems: () => ranked("systems", (value) => value.join(" ")),
    requester: () => ranked("requester", (value) => value || ""),
    requested: () => (row) => rows.asked[row],
  };

  const refresh = () => {
    const kept = shown[active];
    const all = tests();
    const found = [];
    for (const [start, stop] of loaded) {
      next: for (let row = start; row < stop; row++) {
        for (const test of all) if (!test(row)) continue next;
        found.push(row);
      }
    }
    const key = KEYS[sorted.replace(/^-/, "")]();
    const turn = sorted.startsWith("-") ? -1 : 1;
    found.sort((a, b) => {
      const one = key(a);
      const other = key(b);
      return one < other ? -turn : one > other ? turn : rows.asked[b] - rows.asked[a] || b - a;
    });
    shown = found;
    active = Math.max(shown.indexOf(kept), 0);
    table.setAttribute("aria-rowcount", String(shown.length + 1));
    draw(true);
    tell();
  };

  // -- what is told -----------------------------------------------------------------------------

  const TITLES = {
    q: "Words", status: "Status", type: "Type", system: "System", risk: "Risk", person: "Person", requester: "Requester",
    waiting: "Waiting for", customer: "Customer data", from: "From", to: "To", attention: "Needs attention",
  };

  const valueOf = (name) => {
    if (name === "system") return rows.labels.get(wanted.system) || wanted.system;
    return name === "status" ? wanted.status.replaceAll("-", " ") : wanted[name];
  };

  const tell = () => {
    const active = NAMES.filter((name) => wanted[name]);
    const count = number(shown.length);
    const all = number(rows.total);
    let text = active.length ? `${count} of ${all} changes` : `${count} ${shown.length === 1 ? "change" : "changes"}`;
    if (rows.count < rows.total) text += failed ? "; some could not be read" : `; reading ${number(rows.count)} of ${all}`;
    if (hits.textContent !== text) hits.textContent = text;
    chips.replaceChildren(
      ...active.map((name) => {
        const value = name === "attention" ? TITLES[name] : `${TITLES[name]}: `;
        const chip = element("button", "chip", element("span", "visually-hidden", "Remove the filter "), value);
        if (name !== "attention") chip.append(isolated(valueOf(name)));
        chip.type = "button";
        chip.dataset.name = name;
        return element("li", "", chip);
      }),
    );
    chips.hidden = clearing.hidden = active.length === 0;
    nothing.hidden = shown.length > 0 || rows.count < rows.total;
    scroller.hidden = shown.length === 0;
    exporting.disabled = shown.length === 0;
    for (const head of table.tHead.rows[0].cells) {
      const own = head.dataset.sort === sorted.replace(/^-/, "");
      if (own) head.setAttribute("aria-sort", sorted.startsWith("-") ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  };

  // -- rows -------------------------------------------------------------------------------------

  const drawn = new Map(); // the page's rows, by their place

  const made = (place) => {
    const row = shown[place];
    const link = element("a", "", isolated(rows.label(row)));
    link.href = rows.address(row);
    link.title = rows.label(row);
    link.tabIndex = -1; // the row itself is the stop of the keyboard
    const what = element("td", "what", link);
    if (rows.title[row] !== null) what.append(" ", element("span", "id", rows.id[row]));
    const state = element("td", "state", gitchange.statusMark(rows.value("status", row)));
    const risk = rows.value("risk", row);
    const below = element("div", "below", gitchange.pips(rows.value("states", row)));
    for (const flag of rows.flags(row)) below.append(" ", element("span", "flag", flag));
    state.append(below);
    const systems = rows.value("systems", row);
    const requester = rows.value("requester", row);
    if (risk) what.append(element("span", "narrow", gitchange.riskMark(risk)));
    const made = element(
      "tr", "", what, state,
      element("td", "wide", risk ? gitchange.riskMark(risk) : ""),
      element("td", "wide", rows.value("type", row) || ""),
      element("td", "wide", isolated(systems.join(", "))),
      element("td", "wider", requester ? isolated(requester) : ""),
      element("td", "wide date", rows.day(rows.asked[row])),
    );
    made.lastChild.previousSibling.title = requester || "";
    made.children[4].title = systems.map((name) => rows.labels.get(name) || name).join(", ");
    made.setAttribute("aria-rowindex", String(place + 2));
    made.dataset.place = String(place);
    return made;
  };

  const gap = (count) => {
    const cell = element("td");
    // A column that is hidden on narrow screens would come back.
    cell.colSpan = [...table.tHead.rows[0].cells].filter((head) => head.offsetWidth).length || 1;
    cell.style.height = `${count * height}px`;
    const made = element("tr", "gap", cell);
    made.setAttribute("aria-hidden", "true");
    return made;
  };

  const measured = () => {
    if (!drawn.size) return 0;
    const row = drawn.values().next().value;
    return row.getBoundingClientRect().height || height;
  };

  let everything = false; // on paper there is no scrolling
  const PRINTED = 1000; // rows; more would be a ream that nobody reads

  const draw = (anew = false) => {
    const focused = body.contains(document.activeElement);
    if (anew) drawn.clear();
    if (!height && shown.length) {
      drawn.set(0, made(0));
      body.replaceChildren(drawn.get(0));
      scroller.hidden = false;
      height = measured();
    }
    const top = scroller.scrollTop;
    const start = Math.max(Math.floor(top / (height || 1)) - AROUND, 0);
    const seen = Math.ceil((scroller.clientHeight || innerHeight) / (height || 1));
    const stop = Math.min(start + seen + 2 * AROUND, shown.length);
    const places = [];
    if (everything) for (let i = 0; i < Math.min(shown.length, PRINTED); i++) places.push(i);
    else {
      // The row that has the focus stays in the page wherever one scrolls, and so does the focus.
      if (active < start && active < shown.length) places.push(active);
      for (let i = start; i < stop; i++) places.push(i);
      if (active >= stop && active < shown.length) places.push(active);
    }
    const keep = new Set(places);
    for (const place of drawn.keys()) if (!keep.has(place)) drawn.delete(place);
    const inside = [];
    let before = 0;
    for (const place of places) {
      if (place > before && !everything) inside.push(gap(place - before));
      if (!drawn.has(place)) drawn.set(place, made(place));
      drawn.get(place).tabIndex = place === active ? 0 : -1;
      inside.push(drawn.get(place));
      before = place + 1;
    }
    if (before < shown.length && !everything) inside.push(gap(shown.length - before));
    place(inside);
    if (focused && !body.contains(document.activeElement)) drawn.get(active)?.focus({ preventScroll: true });
  };

  // Puts the rows into the page without taking out those that stay: they would lose the focus.
  const place = (inside) => {
    const stays = new Set(inside);
    for (const row of [...body.rows]) if (!stays.has(row)) row.remove();
    let next = body.firstChild;
    for (const row of inside) {
      if (row === next) next = next.nextSibling;
      else body.insertBefore(row, next);
    }
  };

  const move = (to) => {
    if (!shown.length) return;
    active = Math.min(Math.max(to, 0), shown.length - 1);
    const head = table.tHead.offsetHeight;
    const top = active * height;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + height + head > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top + height + head - scroller.clientHeight;
    }
    draw();
    drawn.get(active).focus({ preventScroll: true });
  };

  // -- what readers do --------------------------------------------------------------------------

  const changed = () => {
    write();
    scroller.scrollTop = 0;
    active = 0;
    shown = [];
    refresh();
  };

  let waiting = 0;
  form.addEventListener("input", (event) => {
    for (const name of NAMES) {
      const field = form.elements[name];
      const value = field.type === "checkbox" ? (field.checked ? "1" : "") : field.value.trim();
      if (value) wanted[name] = value;
      else delete wanted[name];
    }
    clearTimeout(waiting);
    waiting = setTimeout(changed, event.target.type === "search" || event.target.type === "text" ? 120 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());

  const without = (...names) => {
    for (const name of names) delete wanted[name];
    write();
    read();
    changed();
  };

  const clear = () => {
    without(...NAMES);
    form.q.focus();
  };

  clearing.addEventListener("click", clear);
  nothing.querySelector("button").addEventListener("click", clear);

  chips.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip) return;
    const place = [...chips.children].indexOf(chip.parentNode);
    without(chip.dataset.name);
    const left = chips.querySelectorAll(".chip");
    (left[Math.min(place, left.length - 1)] || form.q).focus();
  });

  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th[data-sort]");
    if (!head) return;
    const name = head.dataset.sort;
    // The first click gives the order that one looks for: the newest, the riskiest first.
    const first = name === "requested" || name === "risk" ? `-${name}` : name;
    const other = first === name ? `-${name}` : name;
    sorted = sorted === first ? other : first;
    changed();
    said.textContent = `Sorted by ${head.textContent.trim().toLowerCase()}, ${sorted.startsWith("-") ? "descending" : "ascending"}`;
  });

  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-place]");
    if (!row || event.target.closest("a")) return;
    move(Number(row.dataset.place));
  });

  body.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr[data-place]");
    if (!row || Number(row.dataset.place) === active) return;
    active = Number(row.dataset.place);
    for (const [place, other] of drawn) other.tabIndex = place === active ? 0 : -1;
  });

  const STEPS = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 };

  app.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(Math.floor(scroller.clientHeight / height) - 2, 1);
    const inside = body.contains(event.target);
    let done = true;
    if (event.key === "Escape" && !chips.hidden) without(...(wanted.q ? ["q"] : NAMES));
    else if (event.target === form.q && event.key === "ArrowDown") move(active);
    else if (!inside) done = false;
    else if (event.key === "ArrowUp" && active === 0) form.q.focus();
    else if (event.key in STEPS) move(active + STEPS[event.key]);
    else if (event.key === "PageDown") move(active + page);
    else if (event.key === "PageUp") move(active - page);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(shown.length - 1);
    else if (event.key === "Enter" && event.target.tagName === "TR") event.target.querySelector("a").click();
    else done = false;
    if (done) event.preventDefault();
  });

  // -- CSV --------------------------------------------------------------------------------------

  // What begins like a formula would be run by a spreadsheet: an apostrophe makes it text there.
  const cell = (value) => {
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };

  const moment = (seconds) => (seconds ? new Date(seconds * 1000).toISOString().replace(".000", "") : "");

  exporting.addEventListener("click", () => {
    const lines = [
      ["id", "title", "status", "flags", "type", "risk", "systems", "requester", "signed by", "waiting for", "requested", "due", "page"],
      ...shown.map((row) => [
        rows.id[row], rows.title[row] || "", rows.value("status", row), rows.flags(row).join("; "), rows.value("type", row) || "",
        rows.value("risk", row) || "", rows.value("systems", row).join("; "), rows.value("requester", row) || "",
        rows.value("signers", row).join("; "), rows.value("waiting", row).join("; "),
        moment(rows.asked[row]), moment(rows.due[row]), rows.address(row),
      ]),
    ];
    // The mark in front tells spreadsheets that it is UTF-8.
    const text = `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    link.download = "changes.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    said.textContent = `${number(shown.length)} changes are in changes.csv`;
  });

  // -- from here on -----------------------------------------------------------------------------

  let frame = 0;
  scroller.addEventListener("scroll", () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  });
  addEventListener("resize", () => {
    height = measured();
    draw(true);
  });
  addEventListener("beforeprint", () => {
    everything = true;
    if (shown.length > PRINTED) hits.textContent += `, of which the first ${number(PRINTED)} follow`;
    draw();
  });
  addEventListener("afterprint", () => {
    everything = false;
    tell();
    draw();
  });
  addEventListener("popstate", () => {
    read();
    refresh();
  });
  addEventListener("pagehide", () => {
    const state = { place: active, top: scroller.scrollTop };
    history.replaceState(state, "");
  });

  const start = async () => {
    let drawing = 0;
    const later = () => {
      drawing ||= setTimeout(() => {
        drawing = 0;
        refresh();
      }, 200);
    };
    const take = async (number) => {
      try {
        await rows.block(number);
      } catch {
        failed = true;
        return;
      }
      loaded.push([rows.starts[number], rows.starts[number] + rows.manifest.blocks[number][1]]);
    };
    // The newest are on the screen before the rest is asked for.
    if (blocks) await take(blocks - 1);
    refresh();
    const others = [];
    for (let number = blocks - 2; number >= 0; number--) others.push(take(number).then(later));
    await Promise.all(others);
    clearTimeout(drawing);
    if (others.length) refresh();
    const state = history.state;
    if (state && shown.length) {
      active = Math.min(state.place || 0, shown.length - 1);
      scroller.scrollTop = state.top || 0;
      draw();
    }
    app.dataset.ready = "";
  };

  document.querySelector(".register-newest").hidden = true;
  app.hidden = false;
  read();
  start();
})();
