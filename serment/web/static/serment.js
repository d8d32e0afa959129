// Keys and nothing else: what they open is a link, a button or a field of the page, so a page without this file does the same.
"use strict";

const typing = (place) => place.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
const keyed = () => [...document.querySelectorAll("[data-key]")].filter((one) => one.offsetParent !== null);
const labelled = (one) => one.dataset.keyLabel || one.getAttribute("aria-label") || one.innerText || one.labels?.[0]?.innerText || "";

const act = (one) => {
  if (one.matches("input:not([type=checkbox]), textarea, select")) one.focus();
  else one.click();
};

// With Alt a layout may give another sign (& for 1 on a French keyboard): then the place of the key counts.
const named = (event) => {
  if (/^[a-z0-9]$/i.test(event.key)) return event.key.toLowerCase();
  const [, place] = /^(?:Key|Digit)(.)$/.exec(event.code) || [];
  return place ? place.toLowerCase() : event.key;
};

const help = document.getElementById("keys");

const show = () => {
  const list = help.querySelector("dl");
  list.replaceChildren();
  for (const one of keyed()) {
    const key = document.createElement("dt");
    const what = document.createElement("dd");
    key.append(Object.assign(document.createElement("kbd"), { textContent: one.dataset.key }));
    what.textContent = labelled(one).trim();
    list.append(key, what);
  }
  help.showModal();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.isComposing || help?.open) return;
  const single = document.body.dataset.keys !== "off";
  if (!event.altKey && (!single || typing(event.target))) return;
  const pressed = event.altKey ? named(event) : event.key;
  if (pressed === "?" && help) {
    event.preventDefault();
    show();
    return;
  }
  const found = keyed().find((one) => one.dataset.key === pressed);
  if (!found) return;
  event.preventDefault();
  act(found);
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-shows-keys]");
  if (opener && help) show();
});

for (const one of document.querySelectorAll("[data-shows-keys]")) one.hidden = !help;

// A list of checkboxes that one box ticks; without this file each is ticked alone.
document.addEventListener("change", (event) => {
  const group = event.target.dataset?.ticksAll;
  if (!group) return;
  for (const one of document.querySelectorAll(`input[type=checkbox][data-group="${CSS.escape(group)}"]`))
    one.checked = event.target.checked;
});

// What is wrong in a form has the cursor when its page comes back.
document.querySelector("main [aria-invalid=true]")?.focus();
