// The page of one import: it shows what others do meanwhile, and takes the decision about a held import.
import { refresh } from "./live.js";
import { ask, byId, root } from "./page.js";

const SOON = 2, LATER = 10; // seconds between two looks
const main = document.querySelector("main[data-import]");

/** Ask for the page only when something has happened: who looks at an import is in the audit log. */
let next = 0;
async function look() {
  const { version } = await ask(`${root}/api/imports/${main.dataset.import}/version`);
  if (version === main.dataset.version) return;
  await refresh();
}
setInterval(async () => {
  if (document.hidden || main.hasAttribute("data-doing") || Date.now() < next) return;
  next = Infinity;
  await look().catch(() => {});
  next = Date.now() + 1000 * (main.hasAttribute("data-soon") ? SOON : LATER);
}, 500);
document.addEventListener("visibilitychange", () => { next = 0; });

// Airflow's own API takes the answer, so Airflow itself decides who may give it, and that there is only one.
const SENTENCES = {
  400: "Airflow did not accept this answer.",
  401: "Your login has ended. Log in to Airflow again, then repeat this.",
  403: "You may not decide about this import.",
  404: "Airflow does not ask about this import any more.",
  409: "Somebody else has answered meanwhile. Your answer was not used.",
};

/** Give Airflow the answer; gives the sentence that says why it was not taken, '' when it was. */
async function answer(path, option, reason) {
  const body = JSON.stringify({ chosen_options: [option], params_input: { reason: reason || null } });
  const headers = { "Content-Type": "application/json", Accept: "application/json" };
  try {
    const response = await fetch(path, { method: "PATCH", credentials: "same-origin", headers, body });
    return response.ok ? "" : SENTENCES[response.status] ?? `Airflow answered ${response.status}. Nothing was decided.`;
  } catch {
    return "The server cannot be reached. Please look again before you repeat this.";
  }
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("#decision");
  if (!form) return;
  event.preventDefault();
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  const problem = await answer(form.dataset.answer, event.submitter?.value ?? "Discard", byId("decision-reason").value.trim());
  if (problem) {
    byId("posted").textContent = problem;
    byId("decided").textContent = problem;
    for (const button of buttons) button.disabled = false;
  }
  main.toggleAttribute("data-soon", true);
  next = 0;
});
