// What the person says in the Import dialog about columns and words that the importer does not know.
import { byId } from "./page.js";

let columns = {}; // name of a column to the field or "ignore"
let values = {}; // for each field the words and what they mean
let words = new Map(); // every unknown word of this file so far: a word that means something now is listed, too

export function forget() {
  columns = {};
  values = {};
  words = new Map();
}

/** Take over what a check has answered. True where a word is new and likely means something: check again by that. */
export function take(found) {
  columns = found.mapping.columns;
  values = found.mapping.values;
  let isMore = false;
  for (const word of found.words) {
    const key = `${word.field} ${word.word.toLowerCase()}`;
    if (word.likely && !words.has(key) && !values[word.field]?.[word.word]) {
      (values[word.field] ??= {})[word.word] = word.likely;
      isMore = true;
    }
    words.set(key, word);
  }
  return isMore;
}

const isSaid = () => Object.keys(columns).length > 0 || Object.values(values).some((meanings) => Object.keys(meanings).length > 0);

/** The mapping as the headers of a request: ASCII alone, because a header can hold nothing else. */
export function mappingHeaders() {
  if (!isSaid()) return {};
  const ascii = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return { "Client-Imports-Mapping": JSON.stringify({ columns, values }).replace(/[\u007f-\uffff]/g, ascii) };
}

export const isToBeRemembered = () => isSaid() && Boolean(byId("remember-mapping")?.checked);

function list(id, label, options, chosen, change) {
  const select = document.createElement("select");
  select.id = id;
  select.setAttribute("aria-label", label);
  for (const [value, text] of options) select.add(new Option(text, value, false, value === chosen));
  select.onchange = () => change(select.value);
  return select;
}

/** A list of fields for one column. */
export function listOfFields(found, position, again) {
  const column = found.columns[position];
  const options = [["ignore", "leave out"], ...found.fields];
  return list(`map-column-${position}`, `Field of the column ${column.name}`, options, column.field ?? "ignore", (field) => {
    const other = found.columns.find((each) => each !== column && !each.fixed && each.field === field);
    if (other) columns[other.name] = "ignore"; // one column for each field
    columns[column.name] = field;
    again();
  });
}

/** The rows of the table of words: the word, in how many rows it stands, and a list of what it may mean. */
export function rowsOfWords(found, again) {
  const present = new Set(found.columns.map((column) => column.field));
  return [...words.values()].filter((word) => present.has(word.field)).map((word, position) => {
    const options = [["", "not known: its rows fail"], ...found.choices[word.field]];
    const label = `What the word ${word.word} of ${word.label} means`;
    const select = list(`map-word-${position}`, label, options, values[word.field]?.[word.word] ?? "", (meaning) => {
      values[word.field] ??= {};
      if (meaning) values[word.field][word.word] = meaning;
      else delete values[word.field][word.word];
      again();
    });
    return { ...word, select };
  });
}

/** The box that keeps the mapping for the feed's next files; nothing where nothing is said. */
export function rememberBox(wasChecked) {
  if (!isSaid()) return [];
  const box = document.createElement("input");
  box.type = "checkbox";
  box.id = "remember-mapping";
  box.checked = wasChecked;
  const label = document.createElement("label");
  label.className = "remember";
  label.append(box, " Remember this for the feed: its next files are read the same way");
  return [label];
}
