
// Draws the people that are in sight, finds and sorts them. Whatever stands in the data is shown as text: nothing here
// makes markup of it, and the page's policy would refuse it.
(() => {
  "use strict";
  const island = document.getElementById("data");
  if (!island) return;
  const { kinds, signs, states, rows, pairs } = JSON.parse(island.textContent);
  // The cells of a row, in the order in which they are written.
  const [KIND, STATE, KEY, IDENTITY, ACCOUNT, MATCH, FILE, LINE, CHANGES, WHY, ALONG] = Array(11).keys();
  const BLOCK = 50, NEAR = "1500px 0px", SHOWN = 240, PRINTED = 2000, OFFERED = 200;

  const by = (id) => document.getElementById(id);
  const table = by("table"), count = by("count"), form = by("filters"), printed = by("printed");
  const text = by("f-text"), kind = by("f-kind"), state = by("f-state");
  const attribute = by("f-attribute"), value = by("f-value"), sort = by("f-sort");
  const number = new Intl.NumberFormat("en");

  // Everybody, in the order that is asked for; then those of them that are looked for.
  let order = rows.map((_, at) => at);
  let found = order;
  let direction = 1;

  // ---- drawing

  function make(tag, className, ...content) {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...content);
    return node;
  }

  const foreign = (content, className) => make("bdi", className, content);

  // As long as a reader wants it at first, without a letter cut in two.
  function beginning(content) {
    if (content.length <= SHOWN) return null;
    const letters = Array.from(content);
    return letters.length > SHOWN ? letters.slice(0, SHOWN).join("") : null;
  }

  function shown(content, className) {
    const start = beginning(content);
    if (start === null) return foreign(content, className);
    return make("details", className, make("summary", "", foreign(start), "…"), foreign(content));
  }

  function change([name, from, to]) {
    const values = make("span", "");
    if (from !== null) {
      const arrow = make("span", "arrow", "→");
      arrow.setAttribute("role", "img");
      arrow.setAttribute("aria-label", "becomes");
      values.append(shown(from, "from"), " ", arrow, " ");
    }
    values.append(shown(to, "to"));
    return make("li", "", foreign(name, "attribute"), " ", values);
  }

  function cell(tag, role, className) {
    const node = make(tag, className);
    node.setAttribute("role", role);
    return node;
  }

  // A state of two words gives two classes, of which the first is its own.
  const isPlain = (name) => name === "to do" || name === "no action";

  function sign(row) {
    const name = states[row[STATE]];
    return name === "failed" ? "!" : name === "unknown" ? "?" : signs[row[KIND]];
  }

  function draw(at, place) {
    const row = rows[at];
    const line = cell("tr", "row", "");
    line.setAttribute("aria-rowindex", place + 2);
    const name = states[row[STATE]];

    const what = cell("td", "cell", "c-kind " + kinds[row[KIND]]);
    const mark = make("span", "sign", sign(row));
    mark.setAttribute("aria-hidden", "true");
    what.append(mark, " " + kinds[row[KIND]]);
    if (!isPlain(name)) what.append(" ", make("span", "state s-" + name, name));

    const who = cell("th", "rowheader", "c-key");
    who.scope = "row";
    who.append(shown(row[KEY], ""));
    for (const [word, known] of [["", row[IDENTITY]], ["account ", row[ACCOUNT]], ["found by ", row[MATCH]]]) {
      if (known) who.append(make("small", "", word, foreign(known)));
    }

    const how = cell("td", "cell", "c-what");
    const lines = row[CHANGES].map(change);
    for (const number of row[ALONG]) {
      const pair = pairs[number];
      // What stays as it is says who this is only to somebody who asks for it.
      if (pair && pair[0] === attribute.value) {
        lines.push(make("li", "along", foreign(pair[0], "attribute"), " ", make("span", "", foreign(pair[1]), " (stays)")));
      }
    }
    if (lines.length) how.append(make("ul", "", ...lines));
    for (const why of row[WHY]) how.append(make("p", "", foreign(why)));

    const where = cell("td", "cell", "c-place");
    if (row[LINE] !== null) where.append(foreign(row[FILE]), ":" + row[LINE]);

    line.append(what, who, how, where);
    return line;
  }

  // ---- only what is in sight

  let blocks = [];
  // By how much a person takes on this screen, as far as that was seen.
  let height = 64;

  const watch = new IntersectionObserver((seen) => {
    for (const { target, isIntersecting } of seen) {
      const block = target.block;
      if (isIntersecting) fill(block);
      else if (block.isFilled && !block.body.contains(document.activeElement)) empty(block);
    }
  }, { rootMargin: NEAR });

  function fill(block) {
    if (block.isFilled) return;
    block.isFilled = true;
    block.body.replaceChildren(...found.slice(block.from, block.to).map((at, n) => draw(at, block.from + n)));
  }

  function empty(block) {
    const seen = block.body.getBoundingClientRect().height;
    if (block.isFilled && seen > 0) {
      block.height = seen;
      height = seen / (block.to - block.from);
    }
    block.isFilled = false;
    const space = make("td", "");
    space.colSpan = 4;
    space.style.height = (block.height ?? height * (block.to - block.from)) + "px";
    const line = make("tr", "spacer", space);
    line.setAttribute("aria-hidden", "true");
    block.body.replaceChildren(line);
  }

  function lay() {
    watch.disconnect();
    blocks = [];
    for (let from = 0; from < found.length; from += BLOCK) {
      const body = cell("tbody", "rowgroup", "");
      const block = { body, from, to: Math.min(from + BLOCK, found.length), isFilled: false };
      body.block = block;
      blocks.push(block);
    }
    // The first one stands there at once, so that nothing flickers, and says how high the others may be.
    const bodies = blocks.map((block) => block.body);
    if (!bodies.length && rows.length) {
      const none = make("td", "", "Nobody is like that. Clear the filters to see everybody.");
      none.colSpan = 4;
      bodies.push(make("tbody", "", make("tr", "none", none)));
    }
    if (blocks.length) fill(blocks[0]);
    for (const old of [...table.tBodies]) old.remove();
    table.append(...bodies.slice(0, 1));
    if (blocks.length) {
      const seen = blocks[0].body.getBoundingClientRect().height;
      if (seen > 0) height = seen / (blocks[0].to - blocks[0].from);
    }
    for (const block of blocks.slice(1)) empty(block);
    table.append(...bodies.slice(1));
    for (const block of blocks) watch.observe(block.body);
    table.setAttribute("aria-rowcount", found.length + 1);
  }

  // ---- finding

  // All that a search looks in, made when somebody searches.
  let texts = null;
  function searched(row) {
    const known = row[ALONG].flatMap((number) => pairs[number] ?? []);
    const cells = [kinds[row[KIND]], states[row[STATE]], row[KEY], row[IDENTITY], row[ACCOUNT], row[FILE] + ":" + row[LINE]];
    return [...cells, ...row[CHANGES].flat(), ...row[WHY], ...known].join("\n").toLocaleLowerCase();
  }

  // The values of an attribute that this person has: before, after, or all along.
  function values(row, name) {
    const own = row[CHANGES].flatMap((change) => (change[0] === name ? [change[1], change[2]] : []));
    const along = row[ALONG].flatMap((number) => (pairs[number]?.[0] === name ? [pairs[number][1]] : []));
    return [...own.filter((known) => known !== null), ...along];
  }

  // Whether an attribute of this person changes; of one that changes for nobody, whether this person has it.
  function has(row, name) {
    return changed.get(name) > 0 ? row[CHANGES].some((change) => change[0] === name) : values(row, name).length > 0;
  }

  function find() {
    const words = text.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    if (words.length && !texts) texts = rows.map(searched);
    const is = [kind.value, state.value, attribute.value, value.value];
    found = order.filter((at) => {
      const row = rows[at];
      if (is[0] && kinds[row[KIND]] !== is[0]) return false;
      if (is[1] && states[row[STATE]] !== is[1]) return false;
      if (is[2] && is[3] && !values(row, is[2]).includes(is[3])) return false;
      if (is[2] && !is[3] && !has(row, is[2])) return false;
      return words.every((word) => texts[at].includes(word));
    });
    const all = number.format(rows.length);
    const people = rows.length === 1 ? "person" : "people";
    if (rows.length) count.textContent = found.length === rows.length ? `${all} ${people}` : `${number.format(found.length)} of ${all} ${people}`;
    lay();
  }

  // ---- sorting

  const letters = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const orders = {
    kind: (a, b) => a[KIND] - b[KIND] || a[STATE] - b[STATE],
    key: (a, b) => letters.compare(a[KEY], b[KEY]),
    // Those without a row come last.
    place: (a, b) => (a[LINE] === null) - (b[LINE] === null) || letters.compare(a[FILE], b[FILE]) || a[LINE] - b[LINE],
  };

  function arrange() {
    const compare = orders[sort.value];
    order = rows.map((_, at) => at);
    if (compare) order.sort((a, b) => direction * compare(rows[a], rows[b]) || a - b);
    for (const title of table.tHead.querySelectorAll("[data-sort]")) {
      const is = title.dataset.sort === sort.value;
      title.setAttribute("aria-sort", !is ? "none" : direction > 0 ? "ascending" : "descending");
    }
    find();
  }

  for (const title of table.tHead.querySelectorAll("[data-sort]")) {
    const button = make("button", "", title.textContent);
    button.type = "button";
    button.addEventListener("click", () => {
      const again = sort.value === title.dataset.sort;
      // Up, down, and back to the order of execution.
      if (again && direction < 0) sort.value = "";
      else sort.value = title.dataset.sort;
      direction = again && direction > 0 ? -1 : 1;
      arrange();
    });
    // What can be pressed is not repeated above each page of paper; what can be read is.
    const paper = make("span", "paper", title.textContent);
    paper.setAttribute("aria-hidden", "true");
    title.replaceChildren(button, paper);
    title.setAttribute("aria-sort", "none");
  }

  // ---- what there is to choose from

  function offer(select, everything, counts) {
    const options = counts.map(([name, times, content]) => {
      const option = make("option", "", times > 0 ? `${name} (${number.format(times)})` : name);
      option.value = content ?? name;
      return option;
    });
    const all = make("option", "", everything);
    all.value = "";
    select.replaceChildren(all, ...options);
  }

  function counted(names) {
    const counts = new Map();
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  }

  const inOrder = (names, counts) => names.filter((name) => counts.has(name)).map((name) => [name, counts.get(name)]);
  offer(kind, "all", inOrder(kinds, counted(rows.map((row) => kinds[row[KIND]]))));
  offer(state, "all", inOrder(states, counted(rows.map((row) => states[row[STATE]]))));

  const changed = counted(rows.flatMap((row) => [...new Set(row[CHANGES].map((change) => change[0]))]));
  for (const pair of pairs) if (pair && !changed.has(pair[0])) changed.set(pair[0], 0);
  offer(attribute, "any", [...changed].sort((a, b) => letters.compare(a[0], b[0])));

  // Of an attribute the values that more than one person has, the most frequent first.
  function offerValues() {
    const name = attribute.value;
    const counts = name ? counted(rows.flatMap((row) => [...new Set(values(row, name))])) : new Map();
    const often = [...counts].filter(([, times]) => times > 1).sort((a, b) => b[1] - a[1] || letters.compare(a[0], b[0]));
    const short = (content) => { const start = content.slice(0, 60); return start === content ? content : start + "…"; };
    offer(value, !name ? "—" : changed.get(name) > 0 ? "any that changes" : "any", often.slice(0, OFFERED).map(([content, times]) => [short(content), times, content]));
    value.disabled = often.length === 0;
  }

  let waiting = 0;
  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  for (const select of [kind, state, value]) select.addEventListener("change", find);
  attribute.addEventListener("change", () => { offerValues(); find(); });
  sort.addEventListener("change", () => { direction = 1; arrange(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  // The form's own values are reset after this event.
  form.addEventListener("reset", () => setTimeout(() => { direction = 1; offerValues(); arrange(); }));

  // What is held: all of its kind, which one limit counts together with another.
  const together = new Map([["update", ["update", "reactivate"]], ["deactivate", ["deactivate", "delete"]]]);
  for (const button of document.querySelectorAll("button[data-held]")) {
    button.addEventListener("click", () => {
      form.reset();
      setTimeout(() => {
        const held = together.get(button.dataset.held) ?? [button.dataset.held];
        const there = held.filter((name) => [...kind.options].some((option) => option.value === name));
        // Of one kind that is chosen; of two both, by what they wait for.
        if (there.length === 1) kind.value = there[0];
        state.value = "held";
        find();
        by("people").scrollIntoView();
        by("people").focus({ preventScroll: true });
      });
    });
  }

  // ---- on paper

  addEventListener("beforeprint", () => {
    watch.disconnect();
    for (const block of blocks) if (block.from < PRINTED) fill(block);
    const isCut = found.length > PRINTED;
    printed.hidden = !isCut;
    if (isCut) printed.textContent = `The first ${number.format(PRINTED)} of ${number.format(found.length)} are printed.`;
  });
  addEventListener("afterprint", () => {
    printed.hidden = true;
    for (const block of blocks) watch.observe(block.body);
  });

  document.documentElement.classList.add("scripted");
  offerValues();
  arrange();
})();
