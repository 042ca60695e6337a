// Light or dark as in Airflow: the page copies the class of the surrounding frame. This runs before anything is drawn.
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
