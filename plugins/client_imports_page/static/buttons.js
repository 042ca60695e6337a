// Buttons that do something: undo, discard, and import after a dry run.
import { ask, byId, make } from "./page.js";
import { follow } from "./tray.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-post]");
  if (!button || (button.dataset.ask && !(await confirmed(button.dataset.ask, button.textContent)))) return;
  button.disabled = true;
  try {
    const started = await ask(button.dataset.post, { method: "POST" });
    if (started.upload_id) return follow();
    if (!started.run_url) return location.reload();
    const link = make("a", "", "Open the run");
    link.href = started.run_url;
    link.dataset.airflow = "";
    byId("posted").replaceChildren("Started. This page shows it when it is done. ", link);
    document.querySelector("main[data-refresh]")?.toggleAttribute("data-doing", true);
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
