// The feed file for a partner's first sample, on the screen Feeds.
import { headersOf } from "./check.js";
import { ask, byId, root } from "./page.js";

const input = byId("draft-file");
input?.addEventListener("change", draft);
if (input?.files.length) draft(); // attached before this script came

async function draft() {
  const [file] = input.files;
  byId("draft").hidden = true;
  byId("draft-status").textContent = file ? "Looking at the file…" : "";
  if (!file) return;
  let found;
  try {
    found = await ask(`${root}/api/drafts`, { method: "POST", body: file, headers: headersOf(file) });
  } catch (error) {
    found = { sentence: error.message, yaml: "" };
  }
  if (input.files[0] !== file) return; // another file was attached meanwhile
  byId("draft-yaml").textContent = found.yaml;
  byId("draft").hidden = !found.yaml;
  byId("draft-status").textContent = found.sentence;
}
