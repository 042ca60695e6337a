// What the check of a file has found, as the Import dialog shows it.
import { listOfFields, mappingHeaders, rememberBox, rowsOfWords } from "./mapping.js";
import { ask, byId, root } from "./page.js";

/** Make an element with children; text is only ever text. */
export function element(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** The headers of a request that carries a file, and what the person has said of its columns and words. */
export function headersOf(file) {
  const name = encodeURIComponent(file.name).replace(/['()*!]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  return { "Content-Type": "text/csv", "Content-Disposition": `attachment; filename*=UTF-8''${name}`, ...mappingHeaders() };
}

/** Have the server ready for a check. If this fails, the check itself says why. */
export function warm(feed) {
  ask(`${root}/api/checks/warm?${new URLSearchParams({ feed })}`, { method: "POST" }).catch(() => {});
}

/** Check a file with the importer's own code. Nothing is written. `suggest`: map what is likely. */
export function check(file, feed, suggest, signal) {
  const query = new URLSearchParams({ feed, suggest });
  return ask(`${root}/api/checks?${query}`, { method: "POST", body: file, headers: headersOf(file), signal });
}

export function say(sentence, tone) {
  byId("check-status").textContent = sentence;
  byId("check-status").className = `check-status ${tone}`;
}

export function clear(sentence = "", tone = "") {
  say(sentence, tone);
  byId("check").replaceChildren();
}

/** Show what was found; `again` is called when the person says something else of a column or word. */
export function draw(found, again) {
  const focused = document.activeElement?.closest("#check") ? document.activeElement.id : "";
  const wasChecked = Boolean(byId("remember-mapping")?.checked);
  const lists = [...words(found, again), ...columns(found, again), ...rememberBox(wasChecked)];
  const parts = found.remarks.map((remark) => element("p", "", remark));
  if (found.plan) parts.push(counts(found.plan.counts));
  const ofCauses = causes(found.plan?.causes ?? []);
  say(found.sentence, found.tone);
  // What the person has to say comes first; where all is understood, the causes do.
  byId("check").replaceChildren(...parts, ...(found.suggested || !found.plan ? [...lists, ...ofCauses] : [...ofCauses, ...lists]), ...firstRows(found));
  if (focused) byId(focused)?.focus({ preventScroll: true });
}

function words(found, again) {
  const rows = rowsOfWords(found, again).map((word) => {
    const name = element("th", "", word.word, " ", element("span", "quiet", word.label));
    name.scope = "row";
    return element("tr", "", name, element("td", "number", number(word.rows)), element("td", "", word.select));
  });
  return rows.length ? [element("h3", "", "Words"), table("words", ["Word in the file", "Rows", "Means"], rows)] : [];
}

const number = (value) => value.toLocaleString("en");

function counts(numbers) {
  const list = element("dl", "counts");
  const missing = numbers.deactivated ? ["deactivated"] : []; // clients that a whole list lacks
  for (const outcome of ["created", "updated", "unchanged", "duplicate", "failed", ...missing]) {
    const none = numbers[outcome] ? "" : " none";
    list.append(element("div", `${outcome}${none}`, element("dt", "", outcome), element("dd", "", number(numbers[outcome]))));
  }
  return list;
}

function table(className, names, rows) {
  const head = element("tr", "", ...names.map((name) => {
    const cell = element("th", "", name);
    cell.scope = "col";
    return cell;
  }));
  return element("table", className, element("thead", "", head), element("tbody", "", ...rows));
}

function causes(list) {
  if (!list.length) return [];
  const rows = list.map((cause) => {
    const what = element("td", "", cause.sentence);
    if (cause.severity === "warning") what.append(" ", element("span", "tag", "warning"));
    return element("tr", "", element("td", "number", number(cause.rows)), what, element("td", "", cause.advice));
  });
  return [element("h3", "", "Causes"), table("causes", ["Rows", "Cause", "What to do"], rows)];
}

function columns(found, again) {
  if (!found.columns.length) return [];
  const rows = found.columns.map((column, position) => {
    const name = element("th", "", column.name.trim() || "(no name)");
    name.scope = "row";
    const said = column.label || element("span", "quiet", "left out");
    const field = element("td", "", column.fixed ? said : listOfFields(found, position, again));
    if (column.note) field.append(element("div", "quiet", column.note));
    return element("tr", "", name, field, element("td", "sample", column.samples.join(" · ") || "only blank cells"));
  });
  const shown = table("columns", ["Column", "Field", "Cells, for example"], rows);
  const more = found.more_columns ? [element("p", "quiet", `and ${number(found.more_columns)} more columns`)] : [];
  return [element("h3", "", "Columns"), shown, ...more];
}

function firstRows(found) {
  if (!found.rows.length) return [];
  const rows = found.rows.map((cells) => element("tr", "", ...cells.map((cell) => element("td", "", cell))));
  const scroll = element("div", "scroll", table("first", found.columns.map((column) => column.name), rows));
  scroll.tabIndex = 0; // wide tables are scrolled by keyboard, too
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", "The first rows of the file");
  return [element("h3", "", found.rows.length === 1 ? "The first row" : `The first ${found.rows.length} rows`), scroll];
}
