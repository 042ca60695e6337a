// What every page and script needs: how to ask the server, and what plain HTML does not do.
export const root = document.documentElement.dataset.root;
export const byId = (id) => document.getElementById(id);

/** Make an element; text is only ever text. */
export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

/** Write a sentence whose parts between backticks are code; what it quotes, between “ and ”, is left as it is. */
export function withCode(element, sentence) {
  for (const part of sentence.split(/(“[^”]*”|`[^`]+`)/)) {
    element.append(/^`.+`$/.test(part) ? make("code", "", part.slice(1, -1)) : part);
  }
  return element;
}

/** Gives the JSON of an answer; throws an error with a sentence for people when the request fails. */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached. Nothing is lost; please try again.");
  }
  const body = await answer.json().catch(() => ({}));
  const failure = (sentence) => Object.assign(new Error(sentence), { status: answer.status });
  if (answer.status === 401) throw failure("Your login has ended. Log in to Airflow again, then repeat this.");
  if (!answer.ok) throw failure(body.detail || `The server answered ${answer.status}.`);
  return body;
}

// An e-mail address, and whatever is searched for among clients, is sent in the body, because servers log URLs.
document.addEventListener("submit", (event) => {
  const searched = event.target.querySelector?.("input[name=q]");
  if (searched && event.target.matches(".filters")) {
    const isPrivate = searched.value.includes("@") || (searched.value && "private" in event.target.dataset);
    event.target.method = isPrivate ? "post" : "get";
  }
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
