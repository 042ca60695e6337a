// Failed rows are corrected in their table: checked while they are edited, then sent as a corrected report.
import { ask, byId, root } from "./page.js";
import { follow } from "./tray.js";

const main = document.querySelector("main[data-import]");
const address = `${root}/api/imports/${main.dataset.import}`;
const SHOWN_OF_A_CELL = 1000; // characters of a cell that a problem repeats
const PAUSE = 500; // milliseconds after a key before the rows are checked

// What was changed: cells by row and position, and texts for all rows of a cause. It stays in this tab until it is sent.
const kept = `corrections of ${main.dataset.import}`;
const nothing = () => ({ cells: {}, replacements: [] });
let changes = nothing();
try { changes = JSON.parse(sessionStorage.getItem(kept)) ?? changes; } catch { /* a browser that keeps nothing */ }
function keep() {
  try {
    if (isEmpty()) sessionStorage.removeItem(kept);
    else sessionStorage.setItem(kept, JSON.stringify(changes));
  } catch { /* the same, or more than it keeps: the rows are checked and sent all the same */ }
}
const isEmpty = () => !Object.keys(changes.cells).length && !changes.replacements.length;
let key = ""; // sending the same corrections again, after a broken connection, is the same import
const newKey = () => { key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; };

const CONTROLS = "input, textarea, select";
const controlIn = (cell) => cell.querySelector(CONTROLS);
const rowsShown = () => [...document.querySelectorAll("#corrections tr[data-row]")];
const cellsOf = (row) => [...row.querySelectorAll("td[data-position]")];

function fillChoices(select) {
  const list = byId(`choices-${select.dataset.choices}`);
  if (!list || select.options.length > 1) return;
  select.append(list.content.cloneNode(true));
}

/** Give the text that a cause's replacement writes into a cell; undefined where none does. */
function replacementOf(cell) {
  if (!("wrong" in cell.dataset)) return undefined;
  const sent = cell.dataset.sent.slice(0, SHOWN_OF_A_CELL);
  return changes.replacements.find(({ field, value }) => field === cell.dataset.field && value === sent)?.text;
}

/** Make the control of a cell that was not wrong. */
function makeControl(cell) {
  const { field, sent } = cell.dataset;
  const isChosen = Boolean(byId(`choices-${field}`));
  const control = document.createElement(isChosen ? "select" : /[\r\n]/.test(sent) ? "textarea" : "input");
  if (isChosen) {
    control.append(new Option(sent ? `as sent: “${sent}”` : "blank", sent));
    control.dataset.choices = field;
    fillChoices(control);
  }
  const row = cell.parentElement;
  const name = row.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent.trim();
  control.setAttribute("aria-label", `${name}, line ${row.cells[0].textContent.trim()}`);
  control.dataset.sent = sent;
  control.value = sent;
  cell.replaceChildren(control);
  return control;
}

/** Show in all controls what was changed. */
function showChanges() {
  for (const select of document.querySelectorAll("select[data-choices]")) fillChoices(select);
  for (const row of rowsShown()) {
    const own = changes.cells[row.dataset.row] ?? {};
    for (const cell of cellsOf(row)) {
      const text = own[cell.dataset.position] ?? replacementOf(cell);
      const control = controlIn(cell) ?? (text === undefined ? null : makeControl(cell));
      if (!control || control === document.activeElement) continue;
      if (text !== undefined) control.value = text;
      else if (!("ragged" in row.dataset)) control.value = control.dataset.sent;
    }
  }
  for (const form of document.querySelectorAll("form.replace")) {
    const { code, field, value } = form.dataset;
    const known = changes.replacements.find((each) => each.code === code && each.field === field && each.value === value);
    if (controlIn(form) !== document.activeElement) controlIn(form).value = known ? known.text : value;
  }
  byId("send-corrections").hidden = isEmpty();
}

function changeCell(cell) {
  const row = cell.closest("tr");
  const own = { ...changes.cells[row.dataset.row] };
  if ("ragged" in row.dataset) for (const each of cellsOf(row)) own[each.dataset.position] = controlIn(each).value;
  else own[cell.dataset.position] = controlIn(cell).value;
  const position = cell.dataset.position;
  if (!("ragged" in row.dataset) && own[position] === cell.dataset.sent && replacementOf(cell) === undefined) delete own[position];
  changes.cells[row.dataset.row] = own;
  if (!Object.keys(own).length) delete changes.cells[row.dataset.row];
}

function changeCause(form) {
  const { code, field, value } = form.dataset;
  const text = controlIn(form).value;
  changes.replacements = changes.replacements.filter((each) => each.code !== code || each.field !== field || each.value !== value);
  if (text !== value) changes.replacements.push({ code, field, value, text });
}

let timer = 0;
function changed() {
  newKey();
  keep();
  showChanges();
  byId("not-sent").textContent = "";
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

const post = (path, headers = {}) => ask(path, {
  method: "POST", headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify({ ...changes, seen: Number(byId("send-corrections").dataset.seen) }),
});

// ---- the importer's own check of what was changed
let checks = 0;
const problemsAsSent = new Map(); // row: what was wrong when the page was loaded

async function check() {
  const number = ++checks;
  const status = byId("checked");
  if (isEmpty()) { for (const row of rowsShown()) showVerdict(row, null); return; }
  status.textContent ||= "Checking…";
  try {
    const answer = await post(`${address}/corrections/check`);
    if (number !== checks) return; // something was changed since
    status.textContent = answer.sentence;
    for (const row of rowsShown()) showVerdict(row, answer.rows[row.dataset.row] ?? null);
  } catch (error) {
    if (number === checks) status.textContent = error.message;
  }
}

/** Show what would become of a row; without a verdict, what was wrong with it as it was sent. */
function showVerdict(row, verdict) {
  const place = row.querySelector(".verdict");
  if (!problemsAsSent.has(row.dataset.row)) {
    problemsAsSent.set(row.dataset.row, [[...place.childNodes], cellsOf(row).filter((cell) => cell.matches(".wrong"))]);
  }
  const [sentences, wrong] = problemsAsSent.get(row.dataset.row);
  row.classList.toggle("corrected", Boolean(verdict?.good));
  if (!verdict) place.replaceChildren(...sentences);
  else {
    place.replaceChildren(...[verdict.sentence, ...verdict.problems.map(({ message }) => message)].filter(Boolean).map((text, n) => {
      const line = document.createElement("div");
      line.textContent = text;
      if (verdict.good) line.className = n ? "quiet" : "good";
      return line;
    }));
  }
  const fields = new Set(verdict?.problems.map(({ field }) => field));
  for (const cell of cellsOf(row)) {
    cell.classList.toggle("wrong", verdict ? !verdict.good && fields.has(cell.dataset.field) && cell.dataset.field !== "" : wrong.includes(cell));
  }
}

// ---- what the person does
// The process that checks is ready when the first change is made.
document.addEventListener("focusin", (event) => {
  if (!event.target.matches?.(`#corrections :is(${CONTROLS}), form.replace :is(${CONTROLS})`) || main.warmed) return;
  main.warmed = true;
  ask(`${root}/api/checks/warm?${new URLSearchParams({ feed: main.dataset.feed })}`, { method: "POST" }).catch(() => {});
});
document.addEventListener("input", (event) => {
  const cell = event.target.closest?.("#corrections td[data-position]");
  if (cell) { changeCell(cell); changed(); }
});
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form.replace");
  if (form) { changeCause(form); changed(); }
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("#corrections, #send-corrections, form.replace")) return;
  event.preventDefault(); // Enter in a cell sends nothing
  if (event.target.matches("form.replace")) { changeCause(event.target); changed(); }
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button");
  const row = button?.closest("#corrections tr[data-row]");
  if (row && "edit" in button.dataset) {
    for (const cell of cellsOf(row)) if (!controlIn(cell)) makeControl(cell);
    button.remove();
    controlIn(cellsOf(row)[0]).focus();
  } else if (row && "assign" in button.dataset) {
    changeCell(cellsOf(row)[0]);
    changed();
  } else if (button?.id === "undo-corrections") {
    changes = nothing();
    changed();
    byId("rows-title").scrollIntoView({ block: "nearest" });
  } else if (button?.id === "import-corrected") {
    await send(button);
  } else if (button?.id === "upload-corrected") {
    byId("corrected-file").value = ""; // so that choosing the same file again counts as a change
    byId("corrected-file").click();
  }
});

async function send(button) {
  button.disabled = true;
  try {
    await post(`${address}/corrections`, { "Idempotency-Key": key });
    sent();
  } catch (error) {
    byId("not-sent").textContent = error.message;
    button.disabled = false;
  }
}

function sent() {
  changes = nothing();
  keep();
  clearTimeout(timer);
  checks += 1;
  byId("send-corrections").hidden = true;
  for (const control of document.querySelectorAll(`#corrections :is(${CONTROLS}, button), form.replace :is(${CONTROLS})`)) control.disabled = true;
  byId("posted").textContent = "The corrected rows are sent. This page shows when they are imported.";
  main.toggleAttribute("data-soon", true);
  follow();
}

document.addEventListener("change", async (event) => {
  if (event.target.id !== "corrected-file") return;
  const [file] = event.target.files;
  const name = encodeURIComponent(file.name).replace(/['()*!]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  const headers = { "Content-Type": "text/csv", "Content-Disposition": `attachment; filename*=UTF-8''${name}` };
  const query = new URLSearchParams({ feed: main.dataset.feed, corrects: main.dataset.import });
  byId("posted").textContent = "Sending…";
  try {
    await ask(`${root}/api/imports?${query}`, { method: "POST", body: file, headers });
    sent();
  } catch (error) {
    byId("posted").textContent = error.message;
  }
});

newKey();
showChanges();
if (!isEmpty()) check();
