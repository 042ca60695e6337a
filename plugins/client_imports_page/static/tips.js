// What a bar says when it is pointed at: at once, in words, and where a finger taps, too.
const tip = document.createElement("div");
tip.id = "tip";
tip.setAttribute("aria-hidden", "true"); // the numbers are in the table, and in the labels of the charts
tip.hidden = true;
document.body.append(tip);

function show(event) {
  const about = event.target.closest?.("[data-tip]");
  tip.hidden = !about;
  if (!about) return;
  tip.textContent = about.dataset.tip;
  const [bar, own] = [about.getBoundingClientRect(), tip.getBoundingClientRect()];
  const left = bar.left + bar.width / 2 - own.width / 2;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - own.width - 4))}px`;
  tip.style.top = `${bar.top - own.height - 4 < 0 ? bar.bottom + 4 : bar.top - own.height - 4}px`;
}
document.addEventListener("pointerover", show);
document.addEventListener("pointerdown", show);
document.addEventListener("scroll", () => { tip.hidden = true; }, true);
