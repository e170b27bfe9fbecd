// What a reader does with a report: sort and filter tables, find an utterance, open it.
// Text of a run reaches the page through textContent alone. Without this script every finding is still on the page.
"use strict";
(() => {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  // An element with properties, attributes (names with "-" or "role") and children.
  function make(tag, values = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(values)) {
      if (name.includes("-") || name === "role" || name === "scope") element.setAttribute(name, value);
      else element[name] = value;
    }
    element.append(...children);
    return element;
  }

  const thousands = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");

  // What is missing (null or NaN) comes last, whichever way one sorts.
  function compare(a, b, down) {
    const missingA = a === null || Number.isNaN(a), missingB = b === null || Number.isNaN(b);
    if (missingA || missingB) return missingA - missingB;
    const order = typeof a === "number" ? a - b : collator.compare(a, b);
    return down ? -order : order;
  }

  // Puts a button into every heading that can be sorted by; `choose(column, down)` does the work.
  function sortButtons(heads, choose) {
    const mark = (chosen, down) => heads.forEach((head, column) => {
      if (!head.querySelector("button.sort")) return;
      head.setAttribute("aria-sort", column !== chosen ? "none" : down ? "descending" : "ascending");
    });
    heads.forEach((head, column) => {
      if (head.classList.contains("fixed")) return;
      const button = make("button", { type: "button", className: "sort" });
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        // Numbers are mostly wanted largest first, names from A.
        const down = now === "none" ? head.classList.contains("num") : now === "ascending";
        mark(column, down);
        choose(column, down);
      });
    });
    mark(-1, false);
    return mark;
  }

  // Tables with all their rows on the page: strata and the like.
  function staticTable(table) {
    const body = table.tBodies[0];
    if (!table.tHead || !body || body.rows.length < 2) return;
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...body.rows];
    const key = (row, column) => {
      const cell = row.cells[column];
      if (!heads[column].classList.contains("num")) return cell.textContent.trim();
      return cell.dataset.sort ? Number(cell.dataset.sort) : NaN;
    };
    sortButtons(heads, (column, down) => {
      const keys = new Map(rows.map((row) => [row, key(row, column)]));
      // `rows` keeps the report's own order, which settles ties.
      body.append(...[...rows].sort((a, b) => compare(keys.get(a), keys.get(b), down)));
    });
    if (rows.length < 8) return;
    const status = make("span", { className: "count", role: "status" });
    const input = make("input", { type: "search", autocomplete: "off", spellcheck: false });
    const caption = table.caption ? table.caption.textContent.trim() : "this table";
    input.setAttribute("aria-label", `Show only rows with this text: ${caption}`);
    input.placeholder = "filter rows";
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      rows.forEach((row, i) => {
        row.hidden = !texts[i].includes(wanted);
        shown += row.hidden ? 0 : 1;
      });
      status.textContent = wanted ? `${thousands(shown)} of ${thousands(rows.length)} rows` : "";
    });
    const box = table.closest(".scroll") ?? table;
    box.before(make("p", { className: "tools" }, input, status));
  }

  // The list of all cells: data in columns, at most PAGE rows in the page at once.
  const PAGE = 50;

  function cellList(section, data) {
    const find = (name) => section.querySelector(`[data-part="${name}"]`);
    const part = Object.fromEntries(["controls", "chips", "count", "table", "previous", "next", "page", "clear"].map((n) => [n, find(n)]));
    const heads = [...part.table.tHead.rows[0].cells];
    const body = part.table.tBodies[0];
    const several = data.names.model.values.length > 1;
    const open = new Set();
    const sort = { key: "errors", down: true };
    let strata = [];
    let order = [];
    let page = 0;

    const name = (column, i) => data.names[column].values[data.names[column].at[i]];
    // With one corpus its name in front of every utterance tells nothing.
    const corpora = new Set(data.names.utterance.values.map((u) => u.split("/", 1)[0]));
    const utteranceOf = (i) => corpora.size > 1 ? name("utterance", i) : name("utterance", i).slice([...corpora][0].length + 1);
    const keyOf = (i) => name("key", i) || ["utterance", "condition", "model"].map((n) => name(n, i)).join("/");
    const referenceOf = (i) => data.reference[i] < 0 ? null : data.references[data.reference[i]];
    function heardOf(i) {
      const heard = data.heard[i];
      return heard === 0 ? referenceOf(i) : heard;
    }
    const leftOut = (i) => data.reference[i] < 0;

    // One number per cell to sort by; names by their rank in the alphabet.
    const sortKeys = new Map();
    function keysOf(column) {
      if (!sortKeys.has(column)) {
        const names = data.names[column];
        if (names) {
          const ranked = names.values.map((_, at) => at).sort((a, b) => collator.compare(names.values[a], names.values[b]));
          const rank = [];
          ranked.forEach((at, place) => { rank[at] = place; });
          sortKeys.set(column, names.at.map((at) => rank[at]));
        } else {
          sortKeys.set(column, data[column]);
        }
      }
      return sortKeys.get(column);
    }

    let haystacks = null;
    function haystack(i) {
      haystacks ??= Array.from({ length: data.cells }, (_, n) =>
        [keyOf(n), name("speaker", n), referenceOf(n), heardOf(n), name("reason", n)].join("\n").toLowerCase());
      return haystacks[i];
    }

    const filters = Object.fromEntries([...part.controls.querySelectorAll("[data-filter]")].map((f) => [f.dataset.filter, f]));

    function select() {
      const wanted = filters.text.value.trim().toLowerCase();
      const least = Number(filters.errors.value) || 0;
      const chosen = ["condition", "model", "speaker", "outcome"].filter((n) => filters[n].value !== "").map((n) => [data.names[n].at, Number(filters[n].value)]);
      for (const { by, value } of strata) {
        const column = Object.hasOwn(data.strata, by) && data.strata[by];
        chosen.push(column ? [column.at, column.values.indexOf(value)] : [[], 0]);
      }
      order = [];
      for (let i = 0; i < data.cells; i++) {
        if (least > 0 && !(data.errors[i] >= least)) continue;
        if (!chosen.every(([at, place]) => place >= 0 && at[i] === place)) continue;
        if (wanted && !haystack(i).includes(wanted)) continue;
        order.push(i);
      }
      const keys = keysOf(sort.key);
      order.sort((a, b) => compare(keys[a], keys[b], sort.down) || a - b);
      page = 0;
      draw();
    }

    function draw() {
      const pages = Math.max(1, Math.ceil(order.length / PAGE));
      page = Math.min(Math.max(page, 0), pages - 1);
      const first = page * PAGE;
      body.replaceChildren(...order.slice(first, first + PAGE).flatMap((i) => open.has(i) ? [row(i), detail(i)] : [row(i)]));
      const all = thousands(data.cells);
      part.count.textContent = order.length === data.cells ? `${all} cells` : `${thousands(order.length)} of ${all} cells`;
      part.page.textContent = `page ${thousands(page + 1)} of ${thousands(pages)}`;
      part.previous.disabled = page === 0;
      part.next.disabled = page === pages - 1;
      part.chips.replaceChildren(...strata.map((s) => chip(s)));
      part.clear.hidden = order.length === data.cells;
    }

    function chip(s) {
      const button = make("button", { type: "button", className: "chip" }, make("bdi", { textContent: `${s.by}: ${s.value}` }), make("span", { textContent: " ×", "aria-hidden": "true" }));
      button.setAttribute("aria-label", `Remove the filter ${s.by}: ${s.value}`);
      button.addEventListener("click", () => { strata = strata.filter((other) => other !== s); select(); filters.text.focus(); });
      return button;
    }

    const missing = "–";
    function row(i) {
      const button = make("button", { type: "button", className: "open", "aria-expanded": String(open.has(i)) }, make("bdi", { textContent: utteranceOf(i) }));
      const number = (column) => make("td", { className: "num", textContent: data[column][i] === null ? missing : thousands(data[column][i]) });
      const text = (column, className = "") => make("td", { className }, make("bdi", { textContent: name(column, i) }));
      const sdi = data.sub[i] === null ? missing : `${data.sub[i]} / ${data.del[i]} / ${data.ins[i]}`;
      const said = make("td", { className: "said wide-only" }, make("bdi", { textContent: referenceOf(i) ?? "" }));
      const cells = [
        make("th", { scope: "row" }, button),
        text("speaker", "wide-only"),
        text("condition"),
        ...(several ? [text("model")] : []),
        number("errors"),
        make("td", { className: "num nowrap wide-only", textContent: sdi }),
        make("td", { className: "num wide-only", textContent: data.words[i] === null ? missing : thousands(data.words[i]) }),
        make("td", { className: "num", textContent: data.wer[i] === null ? missing : data.wer[i].toFixed(2) }),
        make("td", { className: name("outcome", i) === "ok" ? "wide-only" : "wide-only warn", textContent: name("outcome", i) }),
        said,
      ];
      const line = make("tr", { className: "cell" }, ...cells);
      line.dataset.cell = i;
      return line;
    }

    // Reference above, hypothesis below, one column per word.
    function alignment(i) {
      const list = make("ol", { className: "alignment", dir: "auto", "aria-label": "Alignment: reference above, hypothesis below" });
      const reference = (data.referenceWords[data.reference[i]] ?? "").split(" ");
      const heard = data.heardWords[i].split(" ");
      const bdi = (tag, word) => make(tag, {}, make("bdi", { textContent: word }));
      const gap = () => make("span", { className: "gap", textContent: "∅", "aria-hidden": "true" });
      const kinds = { S: "substitution", D: "deletion", I: "insertion" };
      for (const [, run, op] of data.code[i].matchAll(/(\d*)([=SDI+])/g)) {
        if (op === "+") {
          list.append(make("li", { className: "muted", textContent: `… and ${thousands(Number(run))} more columns` }));
          continue;
        }
        for (let n = Number(run || 1); n > 0; n--) {
          const above = op === "I" ? null : reference.shift() ?? "";
          if (op === "=") {
            list.append(make("li", { className: "hit" }, make("bdi", { textContent: above })));
            continue;
          }
          const below = op === "D" ? null : heard.shift() ?? "";
          list.append(make("li", { className: kinds[op] },
            make("span", { className: "hidden", textContent: `${kinds[op]}: ` }),
            above === null ? gap() : bdi("del", above),
            below === null ? gap() : bdi("ins", below),
            make("span", { className: "mark", textContent: op, "aria-hidden": "true" })));
        }
      }
      return list;
    }

    function detail(i) {
      const cell = make("td", { colSpan: heads.length });
      const fact = (label, ...value) => make("div", {}, make("dt", { textContent: label }), make("dd", { dir: "auto" }, ...value));
      const facts = make("dl", { className: "texts" });
      if (leftOut(i)) {
        cell.append(make("p", { className: "muted", textContent: "The texts of this cell are left out to keep the page small; they are in rows.jsonl." }));
      } else {
        if (data.code[i]) cell.append(alignment(i));
        else if (data.errors[i] === 0) cell.append(make("p", { className: "muted", textContent: "No word error." }));
        facts.append(fact("reference", referenceOf(i)));
        const heard = heardOf(i);
        if (heard !== null) facts.append(fact("hypothesis", heard === "" ? make("span", { className: "muted", textContent: "(empty)" }) : heard));
      }
      const reason = name("reason", i);
      if (reason) facts.append(fact("reason", make("bdi", { textContent: reason })));
      for (const n of ["speaker", "condition", "model"]) facts.append(fact(n, make("bdi", { textContent: name(n, i) })));
      if (name("recipe", i)) facts.append(fact("audio", make("bdi", { textContent: `${name("recipe", i)}: ${name("achieved", i)}` })));
      const link = make("a", { href: `#cell=${encodeURIComponent(keyOf(i))}` }, make("bdi", { textContent: keyOf(i) }));
      facts.append(fact("cell", link));
      if (data.worst[i]) facts.append(fact("sound", make("a", { href: `#worst-${data.worst[i]}`, textContent: `Listen to it: worst utterance ${data.worst[i]}` })));
      cell.append(facts);
      const line = make("tr", { className: "detail" }, cell);
      return line;
    }

    function toggle(line) {
      const i = Number(line.dataset.cell);
      const opened = !open.has(i);
      line.querySelector("button.open").setAttribute("aria-expanded", String(opened));
      if (opened) {
        open.add(i);
        line.after(detail(i));
        history.replaceState(null, "", `#cell=${encodeURIComponent(keyOf(i))}`);
      } else {
        open.delete(i);
        line.nextElementSibling.remove();
      }
    }

    function clear() {
      for (const filter of Object.values(filters)) filter.value = "";
      strata = [];
    }

    // Opens one cell wherever it is in the list.
    function reveal(key) {
      let i = 0;
      while (i < data.cells && keyOf(i) !== key) i++;
      if (i === data.cells) {
        part.count.textContent = "The linked cell is not in this report.";
        section.scrollIntoView();
        return;
      }
      if (!order.includes(i)) { clear(); select(); }
      page = Math.floor(order.indexOf(i) / PAGE);
      open.add(i);
      draw();
      const button = body.querySelector(`tr[data-cell="${i}"] button.open`);
      button.focus({ preventScroll: true });
      button.closest("tr").scrollIntoView({ block: "start", behavior: "instant" });
    }

    // Shows the cells that a link names: condition, model, speaker, outcome, text, or a stratum's property and value.
    function show(wanted) {
      clear();
      for (const [key, value] of wanted) {
        // A property of the suite's own may have any name: it stands behind `by.`.
        if (key.startsWith("by.")) strata.push({ by: key.slice(3), value });
        else if (key === "text" || key === "errors") filters[key].value = value;
        else if (["condition", "model", "speaker", "outcome"].includes(key)) filters[key].value = String(data.names[key].values.indexOf(value));
        else strata.push({ by: key, value });
      }
      select();
      section.scrollIntoView();
      part.count.focus({ preventScroll: true });
    }

    function follow() {
      const hash = location.hash;
      try {
        if (hash.startsWith("#cell=")) reveal(decodeURIComponent(hash.slice(6)));
        else if (hash.startsWith("#cells?")) show(new URLSearchParams(hash.slice(7)));
      } catch (error) {
        if (!(error instanceof URIError)) throw error;
      }
    }

    for (const column of ["condition", "model", "speaker", "outcome"]) {
      const { values } = data.names[column];
      const places = values.map((_, at) => at).sort((a, b) => collator.compare(values[a], values[b]));
      filters[column].append(...places.map((at) => make("option", { value: String(at), textContent: values[at] })));
      filters[column].closest("label").hidden = values.length < 2;
    }
    if (!several) heads.splice(heads.findIndex((h) => h.dataset.key === "model"), 1)[0].remove();
    const mark = sortButtons(heads, (column, down) => {
      sort.key = heads[column].dataset.key;
      sort.down = down;
      select();
    });
    mark(heads.findIndex((h) => h.dataset.key === sort.key), true);
    part.controls.addEventListener("input", select);
    part.clear.addEventListener("click", () => { clear(); select(); filters.text.focus(); });
    const turn = (by) => { page += by; draw(); part.count.scrollIntoView({ behavior: "instant" }); };
    part.previous.addEventListener("click", () => turn(-1));
    part.next.addEventListener("click", () => turn(1));
    body.addEventListener("click", (event) => {
      const line = event.target.closest("tr.cell");
      // A click that ends a selection of text opens nothing.
      if (line && (event.target.closest("button") || getSelection().isCollapsed)) toggle(line);
    });
    for (const link of document.querySelectorAll("a[data-show]")) {
      const wanted = Object.entries(link.dataset).filter(([key]) => key !== "show" && key !== "by" && key !== "value");
      const { by, value } = link.dataset;
      if (by) wanted.unshift([by === "condition" || by === "speaker" ? by : `by.${by}`, value]);
      link.href = `#cells?${new URLSearchParams(wanted)}`;
    }
    section.querySelector(".browser").hidden = false;
    select();
    addEventListener("hashchange", follow);
    follow();
  }

  // A history of several branches: one of them, or all.
  function branchFilter(sections) {
    const names = [...new Set(sections.map((s) => s.dataset.branch))];
    if (names.length < 2) return;
    const option = (value, textContent) => make("option", { value, textContent });
    const select = make("select", { id: "branch-filter" }, option("", "all branches"), ...names.map((n, i) => option(String(i), n)));
    const status = make("span", { className: "count", role: "status" });
    select.addEventListener("change", () => {
      const wanted = select.value === "" ? null : names[Number(select.value)];
      for (const section of sections) section.hidden = wanted !== null && section.dataset.branch !== wanted;
      status.textContent = wanted === null ? "" : `${thousands(sections.filter((s) => !s.hidden && s.id).length)} of ${thousands(sections.filter((s) => s.id).length)} branches`;
    });
    document.getElementById("main").prepend(make("p", { className: "tools" }, make("label", {}, "Branch ", select), status));
  }

  document.documentElement.classList.add("js");
  branchFilter([...document.querySelectorAll("[data-branch]")]);
  for (const table of document.querySelectorAll("table.sortable")) staticTable(table);
  const block = document.getElementById("cell-data");
  if (block) cellList(document.getElementById("cells"), JSON.parse(block.textContent));
})();
