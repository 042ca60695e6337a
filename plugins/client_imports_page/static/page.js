// What every page does beyond plain HTML: local times, links into Airflow, and the status of the person's uploads.
export const root = document.documentElement.dataset.root;
export const byId = (id) => document.getElementById(id);

/** Make an element; text is only ever text. */
function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

/** Gives the JSON of an answer; throws an error with a sentence for people when the request fails. */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch {
    throw new Error("The server cannot be reached. Nothing is lost; please try again.");
  }
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 401) throw new Error("Your login has ended. Log in to Airflow again, then repeat this.");
  if (!answer.ok) throw new Error(body.detail || `The server answered ${answer.status}.`);
  return body;
}

// Times in the person's own zone, and the exact time on hover. They keep their width, so that nothing jumps.
const two = (number) => String(number).padStart(2, "0");
function localise() {
  for (const element of document.querySelectorAll("time")) {
    const at = new Date(element.dateTime);
    element.textContent = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
    element.title = `${at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })} (${element.dateTime})`;
  }
  for (const field of document.querySelectorAll("[data-zone]")) field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
localise();

/** Show the page's newest content, unless the person is busy in it. */
async function refresh() {
  const main = document.querySelector("main[data-refresh]");
  if (!main || (main !== document.activeElement && main.contains(document.activeElement))) return;
  const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
  main.replaceChildren(...fresh.childNodes);
  main.toggleAttribute("data-doing", fresh.hasAttribute("data-doing"));
  localise();
}
// The page of an import in progress is refreshed until the import has ended.
setInterval(() => document.querySelector("main[data-doing]") && !document.hidden && refresh(), 1500);

// An e-mail address is sent in the body, because servers log URLs.
document.addEventListener("submit", (event) => {
  const searched = event.target.querySelector?.("input[name=q]");
  if (searched && event.target.matches(".filters")) event.target.method = searched.value.includes("@") ? "post" : "get";
});

// A link to Airflow opens in Airflow itself, not in the frame that this page is in.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || !document.documentElement.classList.contains("framed") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  window.parent.history.pushState({}, "", link.getAttribute("href"));
  window.parent.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const code = button.previousElementSibling;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code); // not allowed in a frame or without TLS, so select it instead
  }
});

// Buttons that start something: undo, and import after a dry run.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button || (button.dataset.ask && !(await confirmed(button.dataset.ask, button.textContent)))) return;
  button.disabled = true;
  try {
    const started = await ask(button.dataset.post, { method: "POST" });
    if (started.upload_id) return follow();
    const link = make("a", "", "Open the run");
    link.href = started.run_url;
    link.dataset.airflow = "";
    byId("posted").replaceChildren("Started. This page shows it when it is done. ", link);
  } catch (error) {
    byId("posted").textContent = error.message;
    button.disabled = false;
  }
});

function confirmed(question, action) {
  const dialog = make("dialog");
  const yes = make("button", "primary", action);
  const no = make("button", "", "Cancel");
  const buttons = make("div", "buttons");
  buttons.append(no, yes);
  dialog.append(make("p", "", question), buttons);
  dialog.setAttribute("aria-label", action);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    yes.onclick = () => { resolve(true); dialog.close(); };
    no.onclick = () => dialog.close();
    dialog.onclose = () => { resolve(false); dialog.remove(); };
  });
}

// ---- status: the person's uploads, on every page, until the person dismisses them
const steps = ["Received", "Validating", "Preparing", "Merging", "Done"];
const cards = new Map();
let following = false;
let more = false; // follow() was called again: the answer that is under way may miss the newest upload
let loaded = false; // what ended before the page was loaded is in the page already

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
    if (!more && uploads.every((upload) => upload.done)) break;
    await new Promise((wait) => setTimeout(wait, 700));
  }
  following = false;
}

export function show(upload) {
  let card = cards.get(upload.upload_id);
  const shown = JSON.stringify(upload);
  if (card?.dataset.shown === shown) return;
  if (!card) {
    card = make("div");
    cards.set(upload.upload_id, card);
    byId("uploads").append(card);
  }
  card.dataset.shown = shown;
  card.className = `upload ${upload.tone}`;
  const text = make("div");
  text.append(make("p", "what", `${upload.file_name}${upload.dry_run ? " (look first)" : ""}`), sentence(upload));
  if (!upload.done) text.append(progress(upload));
  card.replaceChildren(text);
  if (upload.done) {
    card.append(dismiss(upload, card));
    if (loaded) refresh();
  }
}

function sentence(upload) {
  const line = make("p", "", upload.sentence);
  if (upload.failed) {
    const see = make("a", "", "see them");
    see.href = `${upload.import_url}#rows`;
    line.append(` ${upload.failed}: `, see, ".");
  } else if (upload.done && upload.import_url) {
    const open = make("a", "", "Open the import");
    open.href = upload.import_url;
    line.append(" ", open);
  }
  if (upload.tone === "error" || upload.step === "Trying again") {
    const run = make("a", "", "Run and logs");
    run.href = upload.run_url;
    run.dataset.airflow = "";
    line.append(" ", run);
  }
  return line;
}

function progress(upload) {
  const list = make("ol");
  const now = Math.max(0, steps.indexOf(upload.step));
  steps.forEach((step, n) => list.append(make("li", n < now ? "past" : n === now ? "now" : "", step)));
  return list;
}

function dismiss(upload, card) {
  const button = make("button", "small", "Dismiss");
  button.type = "button";
  button.setAttribute("aria-label", `Dismiss the message about ${upload.file_name}`);
  button.onclick = async () => {
    await ask(`${root}/api/uploads/${upload.upload_id}/seen`, { method: "POST" }).catch(() => {});
    card.remove();
  };
  return button;
}
follow();
