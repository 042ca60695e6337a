// A button that is clicked before its script has come is clicked again once all scripts are there.
let clicked = null;
function keep(event) {
  const button = event.target.closest("button[type=button]");
  if (!button) return;
  event.stopImmediatePropagation();
  clicked = button;
}
document.addEventListener("click", keep, true);
document.addEventListener("DOMContentLoaded", () => { // modules run before it
  document.removeEventListener("click", keep, true);
  clicked?.click();
});
