// The Import dialog: a file is checked when it is attached, and sent when the person has seen what it would do.
import { check, clear, draw, headersOf, say, warm } from "./check.js";
import { forget, isToBeRemembered, take } from "./mapping.js";
import { ask, byId, root } from "./page.js";
import { follow, show } from "./tray.js";

const dialog = byId("import-dialog");
const LAST_FEED = "client-imports.feed";
if (dialog) {
  const [feed, file, send, problem, drop] = ["import-feed", "import-file", "import-send", "import-problem", "drop"].map(byId);
  const nothing = byId("attached").textContent;
  let attached = null; // the file that can be sent
  let chosen = null; // kept when it cannot be sent: another feed may accept it
  let key = null; // sending again after a broken connection is the same import
  let force = false;
  let checking = null; // ends the check that is under way
  const newKey = () => { key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; };

  const limits = () => feed.selectedOptions[0].dataset;
  const mib = (bytes) => `${Math.round((bytes / 1048576) * 10) / 10} MiB`;

  function describeLimits() {
    dialog.querySelector("[data-most-records]").textContent = Number(limits().records).toLocaleString("en");
    dialog.querySelector("[data-most-bytes]").textContent = mib(limits().bytes);
  }

  /** Choose the feed of the screen, else the one that was used last, else that of manual uploads. */
  function chooseFeed() {
    const ofScreen = document.querySelector("main[data-feed], main [data-feed]")?.dataset.feed || document.querySelector("main select[name=feed]")?.value;
    let last = null;
    try { last = localStorage.getItem(LAST_FEED); } catch { /* a browser that keeps nothing */ }
    const known = [...feed.options].map((option) => option.value);
    feed.value = [ofScreen, last, "default"].find((name) => known.includes(name)) ?? known[0];
  }

  /** Say what is plainly wrong before anything is sent; '' when nothing is. */
  function plainlyWrong(candidate) {
    if (/\.(xls[xmb]?|xlt[xm]?|ods|numbers)$/i.test(candidate.name)) return "This is a spreadsheet: its name does not end in .csv. Save it as CSV (comma separated, UTF-8) and attach that file.";
    if (!/\.(csv|gz|zip)$/i.test(candidate.name)) return "This is not a CSV file: its name does not end in .csv.";
    if (new TextEncoder().encode(candidate.name).length > 255) return "The file name is longer than 255 bytes. Give the file a shorter name.";
    if (candidate.size === 0) return "The file is empty.";
    if (candidate.size > Number(limits().bytes)) return `The file has ${mib(candidate.size)}; this feed accepts at most ${mib(limits().bytes)}. Split it into smaller files, each with the header line.`;
    return "";
  }

  function offer(label, sendable) {
    send.textContent = label;
    send.disabled = !sendable;
  }

  async function attach(candidate, byAttaching = true) {
    if (!candidate) return;
    checking?.abort();
    chosen = candidate;
    forget();
    dialog.classList.add("has-file");
    byId("attached").textContent = `${candidate.name} (${candidate.size < 1048576 ? `${Math.ceil(candidate.size / 1024)} KiB` : mib(candidate.size)})`;
    problem.textContent = plainlyWrong(candidate);
    attached = null;
    offer("Import", false);
    clear();
    if (problem.textContent) return;
    await examine(candidate, true);
    const mayMove = [document.body, byId("attach"), dialog].includes(document.activeElement);
    if (attached && byAttaching && mayMove) send.focus({ preventScroll: true });
  }

  /** Check the file, at first with suggestions, then by what the person says of its columns and words. */
  async function examine(candidate, suggest) {
    newKey();
    checking?.abort();
    const mine = (checking = new AbortController());
    // Nothing can be sent while this file is checked, least of all the previous one.
    attached = null;
    force = false;
    send.disabled = true;
    problem.textContent = "";
    say("Checking…", "doing");
    try {
      const found = await check(candidate, feed.value, suggest, mine.signal);
      if (checking !== mine) return; // another file was attached meanwhile
      if (take(found)) return examine(candidate, false);
      draw(found, () => examine(candidate, false));
      attached = found.button ? candidate : null;
      force = found.force;
      offer(found.button || "Import", Boolean(found.button));
    } catch (error) {
      if (checking !== mine) return;
      const refused = error.status !== undefined && error.status < 500;
      say("", "");
      problem.textContent = error.message;
      attached = refused ? null : candidate;
      offer("Import", !refused);
    }
  }

  function reset() {
    checking?.abort();
    attached = chosen = checking = null;
    forget();
    offer("Import", false);
    problem.textContent = "";
    clear();
    dialog.classList.remove("has-file");
    byId("attached").textContent = nothing;
  }

  function open() {
    reset();
    chooseFeed();
    describeLimits();
    warm(feed.value);
    dialog.showModal();
    byId("import-body").scrollTop = 0;
  }

  byId("open-import").onclick = open;
  byId("import-cancel").onclick = () => dialog.close();
  byId("attach").onclick = () => { file.value = ""; file.click(); }; // so that choosing the same file again, corrected, counts as a change
  file.onchange = () => attach(file.files[0]);
  feed.onchange = () => { describeLimits(); attach(chosen, false); }; // the focus stays in the list for the arrow keys
  dialog.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  dialog.addEventListener("dragleave", () => drop.classList.remove("over"));
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length > 1) problem.textContent = "One file at a time, please.";
    else attach(event.dataTransfer.files[0]);
  });
  dialog.querySelector("form").onsubmit = (event) => event.preventDefault();

  // In Airflow's frame, Tab would leave the dialog for Airflow's own page.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const places = [...dialog.querySelectorAll("a[href], button:enabled, select, input:not([hidden]), summary, [tabindex='0']")]
      .filter((place) => place.checkVisibility());
    const end = event.shiftKey ? places[0] : places.at(-1);
    if (document.activeElement !== end && document.activeElement !== dialog) return;
    event.preventDefault();
    (event.shiftKey ? places.at(-1) : places[0]).focus();
  });

  send.onclick = async () => {
    if (!attached) return;
    const label = send.textContent;
    offer("Sending…", false);
    problem.textContent = "";
    const query = new URLSearchParams({ feed: feed.value, ...(force && { force }), ...(isToBeRemembered() && { remember: true }) });
    try {
      const upload = await ask(`${root}/api/imports?${query}`, { method: "POST", body: attached, headers: { ...headersOf(attached), "Idempotency-Key": key } });
      try { localStorage.setItem(LAST_FEED, feed.value); } catch { /* a browser that keeps nothing */ }
      dialog.close();
      show(upload);
      follow();
    } catch (error) {
      if (!dialog.open) dialog.showModal(); // closed meanwhile: the person must learn that the file was not sent
      problem.textContent = error.message;
      offer(label, true);
    }
  };
}
