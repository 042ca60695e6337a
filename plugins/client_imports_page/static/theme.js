// What must work before anything is drawn, or pressed: light or dark as in Airflow (the page copies the class of the
// surrounding frame), and links that lead out of the frame.
(function () {
  const own = document.documentElement;
  const take = (dark) => { own.classList.toggle("dark", dark); own.classList.toggle("light", !dark); };
  let frame = null;
  try { frame = window.parent !== window && window.parent.document.documentElement; } catch { /* another site's frame */ }
  if (frame) {
    const follow = () => take(frame.classList.contains("dark"));
    new MutationObserver(follow).observe(frame, { attributes: true, attributeFilter: ["class"] });
    own.classList.add("framed");
    follow();
  } else {
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    const chosen = localStorage.getItem("theme");
    take(chosen === "dark" || (chosen !== "light" && system.matches));
  }
})();

// A link to Airflow opens in Airflow itself, not in the frame that this page is in.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || !document.documentElement.classList.contains("framed") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  window.parent.history.pushState({}, "", link.getAttribute("href"));
  window.parent.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
});
