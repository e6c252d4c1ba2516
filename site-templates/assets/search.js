// The page that searches all texts. It asks the newest segments first and shows what they have as it comes.
"use strict";

(() => {
  const { rows, element, isolated, wordsOf, fold, number, load } = gitchange;
  const manifest = gitchange.get("search");
  const form = document.querySelector("form.find-all");
  const list = document.querySelector(".results");
  const hits = document.querySelector(".hits");
  const more = document.querySelector(".more-results");
  const none = document.querySelector(".empty");

  const AT_ONCE = 8; // files that are asked for at the same time
  const PAGE = 25; // results that are shown at first

  const segments = manifest.segments.map(([name, version, start, count, shards]) => ({ name, version, start, count, shards }));
  segments.reverse();
  if (manifest.documents) {
    const [name, version, , count, shards] = manifest.documents[0];
    segments.unshift({ name, version, start: -1, count, shards });
  }
  const total = rows.total + (manifest.documents ? manifest.documents[1].length : 0);

  // -- a segment --------------------------------------------------------------------------------

  const file = (start) => `w-${start.replace(/[^a-z0-9]/gu, (letter) => `-${letter.codePointAt(0).toString(16)}.`)}`;

  // The places of the shards in which words with that beginning are, or that word.
  const places = ({ shards }, { word, whole }) => {
    const last = (limit) => {
      let found = 0;
      while (found + 1 < shards.length && shards[found + 1] <= limit) found++;
      return found;
    };
    const from = last(word);
    const to = whole ? from : last(`${word}\uffff`);
    return shards.slice(from, to + 1);
  };

  const DIGITS = [];
  for (let code = 33; code < 127; code++) {
    if (!"\"'&<\\`|".includes(String.fromCharCode(code))) DIGITS.push(code);
  }
  const VALUE = new Map(DIGITS.map((code, place) => [code, place]));
  const BASE = 40;

  // As gitchange/site/search.py writes numbers.
  const read = (text, begin, end, found) => {
    let before = -1;
    let step = 0;
    for (let i = begin; i < end; i++) {
      const digit = VALUE.get(text.charCodeAt(i));
      if (digit >= BASE) step = step * BASE + digit - BASE;
      else {
        before += step * BASE + digit + 1;
        found.add(before);
        step = 0;
      }
    }
  };

  const look = (text, { word, whole }, found) => {
    const wanted = `|${word}${whole ? " " : ""}`;
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      const end = text.indexOf("|", at + 1);
      read(text, text.indexOf(" ", at) + 1, end, found);
    }
  };

  // Those of a segment's changes that have all words.
  const inSegment = async (segment, terms) => {
    let fits = null;
    for (const term of terms) {
      const found = new Set();
      const texts = places(segment, term).map((start) => load(`${segment.name}/${file(start)}`, segment.version));
      for (const text of await Promise.all(texts)) look(text, term, found);
      fits = fits ? new Set([...fits].filter((own) => found.has(own))) : found;
      if (!fits.size) break;
    }
    return [...fits].map((own) => segment.start + own);
  };

  // -- a question -------------------------------------------------------------------------------

  // A word in quotes is taken as it is, others find what begins with them: as the command line does.
  const termsOf = (text) =>
    text.split('"').flatMap((part, place) =>
      wordsOf(part).map((word) => ({
        word,
        whole: place % 2 === 1,
        begins: new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "u"),
        exact: new RegExp(`(?<![\\p{L}\\p{N}])${word}(?![\\p{L}\\p{N}])`, "u"),
      })),
    );

  const blockOf = (row) => {
    let block = rows.starts.length - 1;
    while (rows.starts[block] > row) block--;
    return block;
  };

  // How well a change fits: a word in its title or id weighs most, then one in its systems and people, then any other.
  const weigh = (hit, terms) => {
    const { row, document } = hit;
    const named = fold(document ? document[1] : `${rows.label(row)} ${rows.id[row]}`);
    let around = null;
    hit.weight = 0;
    hit.where = new Set();
    for (const term of terms) {
      if (term.exact.test(named)) hit.weight += 100;
      else if (!term.whole && term.begins.test(named)) hit.weight += 80;
      else if (document) hit.where.add("its text");
      else {
        around ??= fold([...rows.value("systems", row), rows.value("requester", row), ...rows.value("signers", row)].join(" "));
        if ((term.whole ? term.exact : term.begins).test(around)) {
          hit.weight += 10;
          hit.where.add("systems or people");
        } else hit.where.add("its text");
      }
    }
    return hit;
  };

  let question = 0;
  let found = [];
  let terms = [];
  let shown = PAGE;
  let searched = 0;
  let failed = false;
  let over = true;

  const ask = async (text) => {
    const own = ++question;
    terms = termsOf(text);
    found = [];
    shown = PAGE;
    searched = 0;
    failed = false;
    over = terms.length === 0;
    show();
    if (over) return;
    const left = [...segments];
    const asking = terms;
    const take = async (segment) => {
      const hits = [];
      try {
        const fitting = await inSegment(segment, asking);
        const isDocuments = segment.start < 0;
        // No segment crosses the border of a block.
        if (!isDocuments && fitting.length) await rows.block(blockOf(fitting[0]));
        for (const row of fitting) {
          hits.push(weigh(isDocuments ? { row: -1, document: manifest.documents[1][row + 1] } : { row }, asking));
        }
      } catch {
        failed = true;
      }
      if (own !== question) return;
      for (const hit of hits) found.push(hit);
      searched += segment.count;
      soon();
    };
    const worker = async () => {
      for (let segment = left.shift(); segment && own === question; segment = left.shift()) await take(segment);
    };
    // The newest alone, so that nothing is in the way of the first results.
    while (left.length && !found.length && left.length > segments.length - 2 && own === question) await take(left.shift());
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (own !== question) return;
    over = true;
    show();
  };

  // -- what is shown ----------------------------------------------------------------------------

  let drawing = 0;
  let drawn = 0;
  let took = 0;
  const soon = () => {
    // The first results at once, then not more often than one can read.
    if (!drawn && found.length) show();
    else drawing ||= setTimeout(show, Math.max(150, 4 * took));
  };

  // The text with the words that were looked for marked.
  const marked = (text) => {
    const made = element("bdi");
    let rest = 0;
    for (const piece of text.matchAll(/[\p{L}\p{N}\u0300-\u036f]+/gu)) {
      const own = fold(piece[0]);
      const term = terms.find(({ word, whole }) => (whole ? own === word : own.startsWith(word)));
      if (!term) continue;
      made.append(text.slice(rest, piece.index), element("mark", "", piece[0]));
      rest = piece.index + piece[0].length;
    }
    made.append(text.slice(rest));
    return made;
  };

  const result = ({ row, document, where }) => {
    const link = element("a", "", marked(document ? document[1] : rows.label(row)));
    const title = element("p", "title", link);
    const made = element("li", "", title);
    if (document) {
      link.href = new URL(document[0], gitchange.root).href;
      made.append(element("p", "marks", element("span", "as", "A page of this site")));
      return made;
    }
    link.href = rows.address(row);
    const marks = element("p", "marks", gitchange.statusMark(rows.value("status", row)));
    const risk = rows.value("risk", row);
    if (risk) marks.append(gitchange.riskMark(risk));
    if (rows.isOverdue(row)) marks.append(element("span", "flag", "overdue"));
    const id = element("span", "id", rows.title[row] === null ? "" : marked(rows.id[row]));
    const systems = rows.value("systems", row).map((name) => rows.labels.get(name) || name);
    marks.append(id);
    for (const text of [systems.join(", "), rows.day(rows.asked[row])]) if (text) marks.append(element("span", "as", isolated(text)));
    if (where.size) marks.append(element("span", "as where", `in ${[...where].join(" and ")}`));
    made.append(marks);
    return made;
  };

  const show = () => {
    const began = performance.now();
    clearTimeout(drawing);
    drawing = 0;
    drawn = found.length;
    found.sort((a, b) => b.weight - a.weight || (rows.asked[b.row] || 0) - (rows.asked[a.row] || 0) || b.row - a.row);
    const focused = list.contains(document.activeElement) ? document.activeElement.href : "";
    list.replaceChildren(...found.slice(0, shown).map(result));
    if (focused) [...list.querySelectorAll("a")].find((link) => link.href === focused)?.focus();
    list.hidden = found.length === 0;
    more.hidden = found.length <= shown;
    none.hidden = found.length > 0 || !over || terms.length === 0;
    let text = "";
    if (terms.length) {
      text = found.length === 1 ? "1 result" : `${number(found.length)} results`;
      if (!over) text += `; searched ${number(searched)} of ${number(total)}`;
      if (over && failed) text += "; a part of the index could not be read";
    }
    if (hits.textContent !== text) hits.textContent = text;
    if (over) list.dataset.ready = String(question);
    else delete list.dataset.ready;
    took = performance.now() - began;
  };

  // -- what readers do --------------------------------------------------------------------------

  const fromAddress = () => {
    form.q.value = new URLSearchParams(location.search).get("q") || "";
    ask(form.q.value);
  };

  let waiting = 0;
  const typed = () => {
    clearTimeout(waiting);
    const text = form.q.value.trim();
    const query = text ? `?q=${encodeURIComponent(text)}` : location.pathname;
    if (query !== (location.search || location.pathname)) history.replaceState(null, "", query);
    ask(text);
  };

  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(typed, 120);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    typed();
  });
  more.addEventListener("click", () => {
    const first = shown;
    shown += PAGE;
    show();
    list.querySelectorAll("li .title a")[first]?.focus();
  });

  document.querySelector("main").addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...list.querySelectorAll(".title a")];
    const place = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      form.q.value = "";
      form.q.focus();
      typed();
    } else if (event.target === form.q && event.key === "ArrowDown") links[0]?.focus();
    else if (place < 0) return;
    else if (event.key === "ArrowDown" || event.key === "j") links[Math.min(place + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp" || event.key === "k") (place ? links[place - 1] : form.q).focus();
    else return;
    event.preventDefault();
  });

  addEventListener("popstate", fromAddress);
  document.querySelector(".search-page").hidden = false;
  fromAddress();
  if (!form.q.value) form.q.focus();
})();
