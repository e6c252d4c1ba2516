// What the register and the search share: data files, rows of changes, words, dates.
// A data file is a script that calls gitchange.data(name, value): it loads from a folder as from a server.
"use strict";

const gitchange = (() => {
  const root = new URL("..", document.currentScript.src);
  const arrived = new Map();
  const asked = new Map();

  const load = (name, version) => {
    if (!asked.has(name)) {
      asked.set(
        name,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          // The version in the address keeps a browser from mixing files of two builds.
          script.src = new URL(`changes-data/${encodeURI(name)}.js?${version}`, root).href;
          script.addEventListener("load", () => {
            script.remove();
            if (arrived.has(name)) resolve(arrived.get(name));
            else reject(new Error(name));
          });
          script.addEventListener("error", () => {
            script.remove();
            asked.delete(name);
            reject(new Error(name));
          });
          document.head.append(script);
        }),
      );
    }
    return asked.get(name);
  };

  // As gitchange/site/search.py folds.
  const LONGEST = 40;
  const isPlain = (text) => /^[\x00-\x7f]*$/.test(text);
  const fold = (text) =>
    isPlain(text) ? text.toLowerCase() : text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/ς/g, "σ");
  const wordsOf = (text) =>
    (fold(text).match(/[\p{L}\p{N}]+/gu) || []).map((word) => [...word].slice(0, LONGEST).join(""));

  // All changes in columns; a row is a number, those of a block follow each other.
  class Rows {
    constructor(manifest) {
      this.manifest = manifest;
      this.starts = [];
      this.total = 0;
      for (const [, count] of manifest.blocks) {
        this.starts.push(this.total);
        this.total += count;
      }
      this.id = new Array(this.total);
      this.title = new Array(this.total);
      this.page = new Map();
      this.shared = {};
      for (const name of ["status", "type", "risk", "requester", "systems", "flags", "states", "waiting", "signers"]) {
        this.shared[name] = { values: [], places: new Map(), of: new Uint32Array(this.total) };
      }
      this.asked = new Float64Array(this.total);
      this.due = new Float64Array(this.total);
      this.attention = new Uint8Array(this.total);
      this.there = new Uint8Array(manifest.blocks.length);
      this.count = 0;
      this.labels = new Map(manifest.systems.map(([name, label]) => [name, label]));
      this.closed = new Set(manifest.closed);
      this.customer = new Set(manifest.systems.filter((system) => system[2]).map(([name]) => name));
      this.parts = new Intl.DateTimeFormat("en-US", {
        timeZone: manifest.zone, year: "numeric", month: "short", day: "numeric",
        hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
      });
    }

    async block(number) {
      const [name, , version] = this.manifest.blocks[number];
      const block = await load(name, version);
      if (!this.there[number]) this.take(number, block);
    }

    take(number, block) {
      const start = this.starts[number];
      const count = block.id.length;
      let asked = 0;
      for (const [name, column] of Object.entries(this.shared)) {
        const [values, own] = block[name];
        const places = values.map((value) => {
          const key = JSON.stringify(value);
          if (!column.places.has(key)) {
            column.places.set(key, column.values.length);
            column.values.push(value);
          }
          return column.places.get(key);
        });
        for (let i = 0; i < count; i++) column.of[start + i] = places[own[i]];
      }
      for (let i = 0; i < count; i++) {
        this.id[start + i] = block.id[i];
        this.title[start + i] = block.title[i];
        this.asked[start + i] = 60 * (asked += block.asked[i]);
      }
      for (const [i, due] of block.due) this.due[start + i] = due;
      for (const i of block.attention) this.attention[start + i] = 1;
      for (const [i, page] of block.pages) this.page.set(start + i, page);
      this.there[number] = 1;
      this.count += count;
      delete block.id;
      delete block.title;
    }

    value(name, row) {
      const column = this.shared[name];
      return column.values[column.of[row]];
    }

    label(row) {
      return this.title[row] === null ? this.id[row] : this.title[row];
    }

    address(row) {
      return new URL(this.page.get(row) || `changes/${this.id[row]}.html`, root).href;
    }

    // By the reader's clock: the site itself is judged for the moment of its newest commit.
    isOverdue(row) {
      return this.due[row] > 0 && this.due[row] * 1000 < Date.now() && !this.closed.has(this.value("status", row));
    }

    flags(row) {
      const flags = this.value("flags", row);
      return this.isOverdue(row) && !flags.includes("overdue") ? ["overdue", ...flags] : flags;
    }

    pieces(seconds) {
      const pieces = {};
      for (const { type, value } of this.parts.formatToParts(seconds * 1000)) pieces[type] = value;
      return pieces;
    }

    day(seconds) {
      if (!seconds) return "";
      const { day, month, year } = this.pieces(seconds);
      return `${day} ${month} ${year}`;
    }

    // The first second of a day, given as 2026-11-30, in the company's zone.
    begin(day) {
      const wanted = Date.parse(`${day}T00:00:00Z`) / 1000;
      if (Number.isNaN(wanted)) return NaN;
      let found = wanted;
      for (let i = 0; i < 2; i++) {
        const p = this.pieces(found);
        const shown = Date.parse(`${p.day} ${p.month} ${p.year} ${p.hour}:${p.minute}:${p.second} UTC`) / 1000;
        found += wanted - shown;
      }
      return found;
    }
  }

  let rows = null;
  const element = (name, className, ...inside) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...inside);
    return made;
  };

  const words = (name) => name.replaceAll("-", " ");
  const isolated = (text) => element("bdi", "", text);

  return {
    data: (name, value) => arrived.set(name, value),
    root,
    load,
    fold,
    wordsOf,
    get(name) {
      return arrived.get(name);
    },
    get rows() {
      rows ||= new Rows(arrived.get("register"));
      return rows;
    },
    element,
    isolated,
    number: (count) => count.toLocaleString("en-US"),
    statusMark: (status) => element("span", `status s-${status}`, words(status)),
    riskMark(risk) {
      const shape = element("i");
      shape.setAttribute("aria-hidden", "true");
      return element("span", `risk r-${risk}`, shape, risk);
    },
    pips(states) {
      const pips = element("span", "pips", ...states.map((state) => element("i", state)));
      pips.setAttribute("aria-hidden", "true");
      return pips;
    },
  };
})();
