// The Import dialog: it reports a plainly wrong file at once, and shows the status of a file that is sent.
import { ask, byId, follow, root, show } from "./page.js";

const dialog = byId("import-dialog");
if (dialog) {
  const [feed, file, send, problem, drop] = ["import-feed", "import-file", "import-send", "import-problem", "drop"].map(byId);
  let attached = null;
  let chosen = null; // kept when it cannot be attached: another feed may accept it
  let key = null; // sending again after a broken connection is the same import
  const newKey = () => { key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`; };

  const limits = () => feed.selectedOptions[0].dataset;
  const mib = (bytes) => `${Math.round((bytes / 1048576) * 10) / 10} MiB`;

  function describeLimits() {
    dialog.querySelector("[data-most-records]").textContent = Number(limits().records).toLocaleString("en");
    dialog.querySelector("[data-most-bytes]").textContent = mib(limits().bytes);
  }

  /** Say what is plainly wrong before anything is sent; '' when nothing is. */
  async function plainlyWrong(candidate) {
    if (!/\.csv$/i.test(candidate.name)) return "This is not a CSV file: its name does not end in .csv.";
    if (candidate.size === 0) return "The file is empty.";
    if (candidate.size > Number(limits().bytes)) return `The file has ${mib(candidate.size)}; this feed accepts at most ${mib(limits().bytes)}. Split it into smaller files, each with the header line.`;
    const start = new Uint8Array(await candidate.slice(0, 65536).arrayBuffer());
    const utf16 = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
    const magic = String.fromCharCode(...start.slice(0, 5));
    if (magic.startsWith("PK\u0003\u0004") || magic.startsWith("%PDF") || (!utf16 && start.includes(0))) return "The content is not CSV text (perhaps a spreadsheet or an archive). Save it as CSV (comma separated, UTF-8) and attach that file.";
    return "";
  }

  async function attach(candidate, focus = true) {
    if (!candidate) return;
    newKey();
    // Nothing can be sent while this file is checked, least of all the previous one.
    attached = null;
    send.disabled = true;
    problem.textContent = "";
    chosen = candidate;
    const wrong = await plainlyWrong(candidate).catch(() => "The file cannot be read. Attach it again.");
    if (chosen !== candidate) return; // another file was attached meanwhile
    problem.textContent = wrong;
    attached = wrong ? null : candidate;
    byId("attached").textContent = `${candidate.name} (${candidate.size < 1048576 ? `${Math.ceil(candidate.size / 1024)} KiB` : mib(candidate.size)})`;
    send.disabled = !attached;
    if (attached && focus) send.focus();
  }

  function reset() {
    attached = chosen = null;
    send.disabled = true;
    send.textContent = "Import";
    problem.textContent = "";
    byId("attached").textContent = "No file attached yet.";
  }

  byId("open-import").onclick = () => { reset(); describeLimits(); dialog.showModal(); };
  byId("import-cancel").onclick = () => dialog.close();
  byId("attach").onclick = () => { file.value = ""; file.click(); }; // so that choosing the same file again, corrected, counts as a change
  file.onchange = () => attach(file.files[0]);
  feed.onchange = () => { describeLimits(); attach(chosen, false); }; // the focus stays in the list for the arrow keys
  byId("import-dry").onchange = newKey; // another option makes another request
  dialog.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  dialog.addEventListener("dragleave", () => drop.classList.remove("over"));
  dialog.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length > 1) problem.textContent = "One file at a time, please.";
    else attach(event.dataTransfer.files[0]);
  });
  dialog.querySelector("form").onsubmit = (event) => event.preventDefault();

  send.onclick = async () => {
    if (!attached) return;
    send.disabled = true;
    send.textContent = "Sending…";
    const query = new URLSearchParams({ feed: feed.value, dry_run: byId("import-dry").checked });
    const name = encodeURIComponent(attached.name).replace(/['()*!]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    const headers = { "Content-Type": "text/csv", "Content-Disposition": `attachment; filename*=UTF-8''${name}`, "Idempotency-Key": key };
    try {
      const upload = await ask(`${root}/api/imports?${query}`, { method: "POST", body: attached, headers });
      dialog.close();
      show(upload);
      follow();
    } catch (error) {
      if (!dialog.open) dialog.showModal(); // closed meanwhile: the person must learn that the file was not sent
      problem.textContent = error.message;
      send.textContent = "Import";
      send.disabled = false;
    }
  };
}
