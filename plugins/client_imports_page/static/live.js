// Shows what changed on the server without a reload. What the person reads, selects or has in focus stays where it is.
import { localise } from "./times.js";

const WHILE_DOING = 1.5; // seconds between two looks at an import in progress
const AFTER_AN_ERROR = 30;
// These hold what a person or a script has written into them.
const KEPT = "form, dialog, [role=status]";
const shown = () => document.querySelector("main[data-refresh]");

/** Ask for the page once more and show what is new in it. Says whether the server answered. */
export async function refresh() {
  const main = shown();
  if (!main) return true;
  const { form } = main.dataset; // a search that was posted: its words belong into no URL
  const sent = form ? { method: "POST", body: new URLSearchParams(form) } : {};
  const headers = { Accept: "text/html" };
  const answer = await fetch(form ? location.pathname : location.href, { credentials: "same-origin", headers, ...sent }).catch(() => null);
  if (!answer?.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  if (!fresh) return false;
  localise(fresh);
  const anchor = whatIsRead(main);
  const top = anchor?.getBoundingClientRect().top;
  const focused = document.activeElement;
  const before = rowsOf(main);
  morph(main, fresh);
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  if (anchor?.isConnected) window.scrollBy(0, anchor.getBoundingClientRect().top - top);
  announce(rowsOf(main).filter((row) => !before.includes(row)));
  return true;
}

const rowsOf = (main) => [...main.querySelectorAll("[data-announce] > [data-key]")];

/** Give what must not move: what is in focus, selected or under the pointer; of a scrolled page, its first row. */
function whatIsRead(main) {
  const focused = document.activeElement;
  if (focused !== main && main.contains(focused)) return focused;
  const selection = getSelection();
  if (!selection.isCollapsed && main.contains(selection.anchorNode)) return selection.anchorNode.parentElement;
  const pointed = main.querySelector("[data-key]:hover");
  if (pointed || window.scrollY === 0) return pointed;
  return [...main.querySelectorAll("[data-key]")].find((row) => row.getBoundingClientRect().top >= 0) ?? null;
}

const key = (node) => node.dataset?.key || node.id || "";

/** Make `old` like `fresh`, and keep each element that is in both. Elements with `data-key` or an id are known by it. */
export function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) { old.data = fresh.data; return; }
  if (old.matches(KEPT)) return;
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const known = new Map([...old.children].filter(key).map((child) => [key(child), child]));
  const last = [...fresh.children].filter(key).at(-1);
  const wanted = new Set([...fresh.children].map(key));
  // A screenful ends where it ends: rows that new ones push over the end stay while the page is open.
  const end = last && known.get(key(last));
  for (const [name, child] of known) {
    const isPushedOut = end && end.compareDocumentPosition(child) & Node.DOCUMENT_POSITION_FOLLOWING && "grows" in old.dataset;
    if (!wanted.has(name) && !isPushedOut && !child.contains(document.activeElement)) child.remove();
  }
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const name = key(child);
    while (!name && place && key(place) && !wanted.has(key(place))) place = place.nextSibling;
    const same = name ? known.get(name) : place && !key(place) && place.nodeName === child.nodeName ? place : null;
    if (!same) { old.insertBefore(child, place); continue; }
    if (same !== place) old.insertBefore(same, place);
    morph(same, child);
    place = same.nextSibling;
  }
  for (let next; place; place = next) {
    next = place.nextSibling;
    if (!key(place)) place.remove();
  }
}

/** Mark new rows, and say how many there are where they are out of sight. */
function announce(rows) {
  if (!rows.length) return;
  for (const row of rows) row.classList.add("just-in");
  document.querySelector("#news")?.remove();
  const news = document.createElement("div");
  news.id = "news";
  news.setAttribute("role", "status");
  const text = `${rows.length} new import${rows.length === 1 ? "" : "s"}`;
  document.body.append(news);
  if (rows[0].getBoundingClientRect().top >= 0) {
    news.className = "hidden";
    news.textContent = text;
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `↑ ${text}`;
  button.onclick = () => { rows[0].scrollIntoView({ block: "center" }); rows[0].querySelector("a")?.focus({ preventScroll: true }); news.remove(); };
  news.append(button);
}

let next = Date.now();
const wait = (seconds) => { next = Date.now() + 1000 * seconds; };
const pause = () => { const main = shown(); return main?.hasAttribute("data-doing") ? WHILE_DOING : Number(main?.dataset.live); };
if (pause()) wait(pause());
setInterval(async () => {
  if (document.hidden || !pause() || Date.now() < next) return;
  next = Infinity;
  const answered = await refresh().catch(() => false);
  wait(answered ? pause() : AFTER_AN_ERROR);
}, 500);
document.addEventListener("visibilitychange", () => { if (next !== Infinity) next = 0; });
