// Remarks on the lines of a diff. What is written stays in this tab until it is sent.
"use strict";
(() => {
  const diff = document.getElementById("diff");
  if (!diff || !diff.querySelector("[data-seen]")) return;
  const { remarks: address, key, with: other } = diff.dataset;
  const name = `telecoder ${address} ${other || ""}`;
  // A remark: path, file, seen, side, first, last, words. The one that is open may have no words yet.
  let { once, remarks } = read();
  let open = null;

  function read() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(name));
      if (Array.isArray(kept.remarks)) return kept;
    } catch { /* There is none, or the browser keeps nothing. */ }
    return { once: newId(), remarks: [] };
  }

  // Other remarks are another prompt; the same ones are one, however often they are sent.
  function keep() {
    once = newId();
    const written = remarks.filter((remark) => remark.words.trim());
    try {
      if (written.length) sessionStorage.setItem(name, JSON.stringify({ once, remarks: written }));
      else sessionStorage.removeItem(name);
    } catch { /* As above. */ }
    showBar();
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function element(kind, properties = {}, ...inside) {
    const made = Object.assign(document.createElement(kind), properties);
    made.append(...inside);
    return made;
  }

  const fileOf = (remark) => diff.querySelector(`[data-seen="${CSS.escape(remark.seen)}"]`);

  function row(remark, number) {
    const file = fileOf(remark);
    return file && document.getElementById(`f${file.dataset.file}-${remark.side}${number}`);
  }

  function isThere(remark, first, last) {
    for (let number = first; number <= last; number += 1) if (!row(remark, number)) return false;
    return last - first < 400;
  }

  function lines({ first, last, side }) {
    const which = first === last ? `line ${first}` : `lines ${first} to ${last}`;
    return side === "o" ? `${which} before the change` : which;
  }

  // Each line of the table that has something to do with a remark is made anew.
  function show() {
    for (const old of diff.querySelectorAll("tr.remark")) old.remove();
    for (const old of diff.querySelectorAll("tr.remarked")) old.classList.remove("remarked");
    for (const remark of remarks) {
      const last = row(remark, remark.last);
      if (!last) continue;
      for (let number = remark.first; number <= remark.last; number += 1) row(remark, number)?.classList.add("remarked");
      const cell = element("td", { colSpan: 3 }, remark === open ? editor(remark) : note(remark));
      let before = last;
      while (before.nextElementSibling?.className === "remark") before = before.nextElementSibling;
      before.after(element("tr", { className: "remark" }, cell));
    }
    showBar();
  }

  function note(remark) {
    const change = button("Change", () => edit(remark));
    const remove = button("Remove", () => drop(remark));
    return element("div", { className: "remark-box" },
      element("p", { className: "about", textContent: `On ${lines(remark)}` }),
      element("p", { textContent: remark.words }),
      element("div", { className: "buttons" }, change, remove));
  }

  function editor(remark) {
    const id = "remark-words";
    const words = element("textarea", { id, rows: 3, value: remark.words });
    words.addEventListener("input", () => { remark.words = words.value; keep(); });
    const last = element("input", { id: "remark-last", type: "number", min: 1, value: remark.last });
    const said = element("p", { className: "failed", role: "status" });
    last.addEventListener("change", () => {
      const to = Number(last.value);
      const [first, end] = [Math.min(remark.first, to), Math.max(remark.first, to)];
      if (!isThere(remark, first, end)) {
        said.textContent = `Not all lines up to ${to} are shown here.`;
        return;
      }
      [remark.first, remark.last] = [first, end];
      keep();
      edit(remark);
    });
    const box = element("div", { className: "remark-box" },
      element("label", { className: "about", htmlFor: id, textContent: `Remark on ${lines(remark)}` }),
      words,
      element("div", { className: "buttons" },
        button("Done", close, "primary"),
        button("Remove", () => drop(remark)),
        element("span", { className: "to-line" }, element("label", { htmlFor: last.id, textContent: "to line" }), last)),
      said);
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close();
    });
    return box;
  }

  function button(label, press, kind = "") {
    const made = element("button", { type: "button", textContent: label, className: kind });
    made.addEventListener("click", press);
    return made;
  }

  function edit(remark) {
    leave(remark);
    open = remark;
    show();
    const words = document.getElementById("remark-words");
    words?.focus({ preventScroll: true });
    words?.closest(".remark-box").scrollIntoView({ block: "nearest" });
  }

  function close() {
    const link = open && row(open, open.last)?.querySelector(".number a");
    leave(null);
    show();
    link?.focus();
  }

  // A box that was left empty is no remark.
  function leave(next) {
    if (open && open !== next && !open.words.trim()) remarks = remarks.filter((remark) => remark !== open);
    open = null;
  }

  function drop(remark) {
    const link = row(remark, remark.last)?.querySelector(".number a");
    remarks = remarks.filter((one) => one !== remark);
    if (open === remark) open = null;
    keep();
    show();
    link?.focus();
  }

  const written = () => remarks.filter((remark) => remark.words.trim());

  const said = element("p", { className: "failed", role: "alert" });
  const count = element("p");
  const send = button("", sendAll, "primary");
  const away = button("Throw away", () => {
    if (!confirm("Throw away all remarks on this diff?")) return;
    [remarks, open] = [[], null];
    keep();
    show();
  });
  const bar = element("section", { className: "remark-bar", hidden: true, ariaLabel: "Remarks" }, count, said, send, away);
  diff.append(bar);

  function showBar() {
    const all = written();
    const word = all.length === 1 ? "remark" : "remarks";
    const elsewhere = all.filter((remark) => !row(remark, remark.last)).length;
    bar.hidden = all.length === 0;
    send.textContent = `Send ${all.length} ${word}`;
    count.textContent = elsewhere ? `${elsewhere} of them not on this page` : "";
    count.hidden = !elsewhere;
  }

  async function sendAll() {
    const fields = new URLSearchParams({ key, once });
    if (other) fields.append("with", other);
    for (const remark of written()) {
      for (const field of ["file", "seen", "side", "first", "last", "words"]) fields.append(field, remark[field]);
    }
    send.disabled = true;
    said.textContent = "";
    try {
      const answer = await fetch(address, { method: "POST", body: fields });
      const isAsked = answer.ok && new URL(answer.url).pathname.startsWith("/runs/");
      if (isAsked) sessionStorage.removeItem(name);
      if (answer.ok) {
        location.assign(answer.url);
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      said.textContent = page.querySelector("main p")?.textContent || "Nothing was sent. Try again.";
    } catch {
      said.textContent = "The bot was not reached, so nothing is known to be sent. Try again: it is sent once.";
    }
    send.disabled = false;
  }

  const numberOf = (link) => /^#f\d+-([no])(\d+)$/.exec(link.getAttribute("href"));

  diff.addEventListener("click", (event) => {
    const link = event.target.closest(".number")?.querySelector("a");
    const file = link?.closest("[data-seen]");
    if (!file || event.ctrlKey || event.metaKey) return;
    const [, side, text] = numberOf(link);
    const { seen, path } = file.dataset;
    const at = Number(text);
    event.preventDefault();
    if (event.shiftKey && open && open.seen === seen && open.side === side) {
      const [first, last] = [Math.min(open.first, at), Math.max(open.last, at)];
      if (isThere(open, first, last)) [open.first, open.last] = [first, last];
      keep();
      edit(open);
      return;
    }
    const known = remarks.find((one) => one.seen === seen && one.side === side && one.first <= at && at <= one.last);
    const remark = known || { file: Number(file.dataset.file), seen, path, side, first: at, last: at, words: "" };
    leave(remark);
    if (!known) remarks.push(remark);
    edit(remark);
  });

  // One stop for the Tab key in each file; the arrows go from line to line.
  diff.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches(".number a")) return;
    const links = [...event.target.closest(".lines").querySelectorAll(".number a")];
    const next = links[links.indexOf(event.target) + step];
    if (!next) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });

  function measure() {
    const seen = diff.querySelector(".lines")?.clientWidth;
    if (seen) diff.style.setProperty("--seen", `${seen}px`);
  }

  document.body.classList.add("with-remarks");
  for (const file of diff.querySelectorAll("[data-seen]")) {
    const first = file.querySelector(".number a");
    if (first) first.tabIndex = 0;
    for (const link of file.querySelectorAll(".number a")) {
      const [, side, at] = numberOf(link);
      link.setAttribute("aria-label", `Remark on line ${at}${side === "o" ? " before the change" : ""}`);
    }
  }
  diff.querySelector(".hint").hidden = false;
  addEventListener("resize", measure);
  measure();
  show();
})();
