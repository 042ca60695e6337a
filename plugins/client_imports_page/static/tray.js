// The tray: the person's uploads, on every page, until the person dismisses them. It folds to one button.
import { refresh } from "./live.js";
import { ask, byId, make, root, withCode } from "./page.js";

const KEPT_OPEN = "client-imports.tray"; // "open" or "folded", for this tab of the browser
const STEPS = ["Received", "Validating", "Preparing", "Merging", "Done"];
// The worst first; what is said of an upload with this tone, beside how many there are.
const TONES = [
  ["error", "system error"], ["refused", "refused"], ["question", "waits for a decision"], ["warning", "rows failed"],
];
const tray = byId("tray");
const button = byId("tray-button");
const list = byId("uploads");
const cards = new Map(); // upload ID: { upload, card, shown }
let following = false;
let more = false; // follow() was called again: the answer that is under way may miss the newest upload
let loaded = false; // what ended before the page was loaded is in the page already

// ---- what is in it

export async function follow() {
  more = true;
  if (following) return;
  following = true;
  for (;;) {
    let uploads;
    more = false;
    try {
      uploads = await ask(`${root}/api/uploads`);
    } catch {
      await new Promise((wait) => setTimeout(wait, 5000));
      continue;
    }
    for (const upload of uploads) show(upload);
    loaded = true;
    tray.ariaBusy = "false";
    if (!more && uploads.every((upload) => upload.done)) break;
    await new Promise((wait) => setTimeout(wait, 700));
  }
  following = false;
}

export function show(upload) {
  const known = cards.get(upload.upload_id);
  const shown = JSON.stringify(upload);
  if (known?.shown === shown) return;
  const card = known?.card ?? list.appendChild(make("li"));
  cards.set(upload.upload_id, { upload, card, shown });
  card.className = `upload ${upload.tone}`;
  draw(card, upload);
  summarise();
  if (!known && !upload.done) unfoldIfRoom();
  if (!known) list.scrollTop = list.scrollHeight; // the newest is the last
  const isNews = !known || upload.done || known.upload.step !== upload.step; // each second's number of records is none
  if (loaded && isNews) byId("tray-news").textContent = `${upload.file_name}: ${upload.sentence} ${upload.failed}`;
  if (loaded && upload.done) refresh();
}

function draw(card, upload) {
  const text = make("div");
  text.append(make("p", "what", `${upload.file_name}${upload.dry_run ? " (dry run)" : ""}`), sentence(upload));
  if (!upload.done) text.append(progress(upload));
  const action = upload.done ? dismissing(upload) : upload.can_be_cancelled ? cancelling(upload) : null;
  const hadFocus = card.contains(document.activeElement);
  card.replaceChildren(text, ...(action ? [action] : []));
  if (hadFocus) (action ?? button).focus({ preventScroll: true });
}

function sentence(upload) {
  const line = withCode(make("p"), upload.sentence);
  if (upload.failed) line.append(` ${upload.failed}: `, link("see them", `${upload.import_url}#rows`), ".");
  else if (upload.done && upload.import_url) line.append(" ", link("Open the import", upload.import_url));
  if (upload.tone === "error" || upload.step === "Trying again") {
    const run = link("Run and logs", upload.run_url);
    run.dataset.airflow = "";
    line.append(" ", run);
  }
  return line;
}

function link(text, address) {
  const element = make("a", "", text);
  element.href = address;
  return element;
}

function progress(upload) {
  const steps = make("ol");
  const now = Math.max(0, STEPS.indexOf(upload.step));
  STEPS.forEach((step, n) => steps.append(make("li", n < now ? "past" : n === now ? "now" : "", step)));
  return steps;
}

function small(text, label, onclick) {
  const element = make("button", "small", text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.onclick = onclick;
  return element;
}

function dismissing(upload) {
  const element = small("Dismiss", `Dismiss the message about ${upload.file_name}`, () => dismiss([upload]));
  element.dataset.dismiss = "";
  return element;
}

/** Offer to end an upload while nothing of it is written. Why it is too late for that is said in the tray. */
function cancelling(upload) {
  let asked = false; // the button keeps the focus, which a disabled one would lose
  const element = small("Cancel", `Cancel the import of ${upload.file_name}`, async () => {
    if (asked) return;
    asked = true;
    try {
      show(await ask(`${root}/api/uploads/${upload.upload_id}/cancel`, { method: "POST" }));
    } catch (error) {
      asked = false;
      element.previousElementSibling.append(make("p", "problem", error.message));
      byId("tray-news").textContent = `${upload.file_name}: ${error.message}`;
    }
  });
  return element;
}

/** Take messages away, here and on every other page. One that the server could not note stays. */
async function dismiss(uploads) {
  await Promise.all(uploads.map(async ({ upload_id: id }) => {
    try {
      await ask(`${root}/api/uploads/${id}/seen`, { method: "POST" });
    } catch (error) {
      byId("tray-news").textContent = error.message;
      return;
    }
    cards.get(id)?.card.remove();
    cards.delete(id);
  }));
  summarise();
  if (tray.contains(document.activeElement) || document.activeElement === document.body) {
    (list.querySelector("[data-dismiss]") ?? (cards.size ? button : byId("content"))).focus({ preventScroll: true });
  }
}

// ---- how it looks: the button says what is in it

function summarise() {
  const uploads = [...cards.values()].map(({ upload }) => upload);
  const ended = uploads.filter((upload) => upload.done);
  const doing = uploads.length - ended.length;
  const [tone, worst] = TONES.find(([name]) => ended.some((upload) => upload.tone === name)) ?? [doing ? "doing" : "good", ""];
  const counted = [doing && `${doing} on the way`, ended.length && `${ended.length} done`, worst];
  byId("tray-counts").textContent = counted.filter(Boolean).join(" · ");
  byId("tray-counts").className = `state ${tone}`;
  byId("tray-dismiss").hidden = ended.length < 2;
  tray.hidden = !uploads.length;
  document.documentElement.classList.toggle("has-tray", !tray.hidden);
}

function unfold(open) {
  byId("tray-list").hidden = !open;
  list.scrollTop = list.scrollHeight;
  button.setAttribute("aria-expanded", open);
}

function kept() {
  try { return sessionStorage.getItem(KEPT_OPEN); } catch { return null; } // a browser that keeps nothing
}

/** Show an upload on the way where that leaves room for the page, unless the person has folded or unfolded the list. */
function unfoldIfRoom() {
  if (!kept() && matchMedia("(min-width: 60em)").matches) unfold(true);
}

function choose(open) {
  unfold(open);
  try { sessionStorage.setItem(KEPT_OPEN, open ? "open" : "folded"); } catch { /* a browser that keeps nothing */ }
}

button.onclick = () => choose(byId("tray-list").hidden);
byId("tray-dismiss").onclick = () => dismiss([...cards.values()].map(({ upload }) => upload).filter((upload) => upload.done));
tray.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || byId("tray-list").hidden) return;
  choose(false);
  button.focus();
});

const isCovered = (place, by) => place.right > by.left && place.left < by.right && place.bottom > by.top && place.top < by.bottom;

// What gets the focus is never behind the tray: the list folds, and the page scrolls on under the button.
document.addEventListener("focusin", ({ target }) => {
  const place = target.getBoundingClientRect();
  if (tray.hidden || place.height > 100 || target.closest("#tray, dialog")) return;
  if (isCovered(place, tray.getBoundingClientRect())) unfold(false);
  const folded = tray.getBoundingClientRect();
  if (isCovered(place, folded)) window.scrollBy(0, place.bottom - folded.top + 8);
});

unfold(kept() === "open");
follow();
