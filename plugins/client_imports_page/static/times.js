// Times as Airflow shows them: in the time zone that the person chose there, else in the browser's. Hover has the rest.
const KEY = "timezone"; // Airflow keeps the name of the zone under this key, as JSON

export function zone() {
  try {
    const chosen = JSON.parse(localStorage.getItem(KEY));
    if (chosen) return new Intl.DateTimeFormat("en", { timeZone: chosen }).resolvedOptions().timeZone;
  } catch { /* no such zone, or no storage */ }
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Write every `<time>` below `root`, and tell the filter in which zone its days are meant. */
export function localise(root = document) {
  const timeZone = zone();
  const numbers = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const short = new Intl.DateTimeFormat("en", { timeZone, ...numbers });
  const full = new Intl.DateTimeFormat(undefined, { timeZone, dateStyle: "full", timeStyle: "long" });
  for (const element of root.querySelectorAll("time")) {
    const at = new Date(element.dateTime);
    const part = Object.fromEntries(short.formatToParts(at).map(({ type, value }) => [type, value]));
    element.textContent = `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
    element.title = `${full.format(at)} (${element.dateTime})`;
  }
  for (const field of root.querySelectorAll("[data-zone]")) field.value = timeZone;
}

localise();
// The surrounding page of Airflow changed the zone.
window.addEventListener("storage", (event) => event.key === KEY && localise());
