// The editor of pages after payment: blocks are added, moved and removed, the preview follows while typing.

const PREVIEW_MS = 200;
const form = document.querySelector("[data-editor]");
const variants = form.querySelector("[data-variants]");
const preview = document.querySelector("[data-preview]");
const problem = document.querySelector("[data-problem]");
const most = { blocks: Number(form.dataset.mostBlocks), variants: Number(form.dataset.mostVariants) };
let language = document.documentElement.lang === "en" ? "en" : "zh";
let current = null;
let timer = 0;
let asked = 0;

const fields = (node) => [...node.querySelectorAll("[data-field]")];
const ownFields = (variant) => fields(variant).filter((field) => !field.closest("[data-block]"));
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

function fill(field, value) {
  if (field.tagName === "SELECT" && value && ![...field.options].some((one) => one.value === value)) {
    field.add(new Option(value, value));
  }
  field.value = value ?? "";
}

function addBlock(variant, said) {
  const list = variant.querySelector("[data-blocks]");
  if (list.children.length >= most.blocks) return null;
  const block = copy("block");
  for (const field of fields(block)) fill(field, said[field.dataset.field]);
  block.dataset.kind = said.kind;
  list.append(block);
  return block;
}

function addVariant(said) {
  const variant = copy("variant");
  for (const field of ownFields(variant)) fill(field, said[field.dataset.field]);
  for (const block of said.blocks ?? []) addBlock(variant, block);
  variants.append(variant);
  choose(variant);
  return variant;
}

const values = (list) => Object.fromEntries(list.map((field) => [field.dataset.field, field.value]));

function readVariant(variant) {
  const said = values(ownFields(variant));
  const blocks = [...variant.querySelectorAll("[data-block]")].map((block) => values(fields(block)));
  return { ...said, weight: Number(said.weight), blocks };
}

function read() {
  const top = { based_on: draft.based_on };
  for (const field of form.querySelectorAll("[data-top]")) {
    const number = field.type === "number" ? Number(field.value) : field.value;
    top[field.dataset.top] = field.type === "checkbox" ? field.checked : number;
  }
  return { ...top, variants: [...variants.children].map(readVariant) };
}

function choose(variant) {
  if (!variant) return;
  current = variant;
  for (const one of variants.children) one.classList.toggle("current", one === variant && variants.children.length > 1);
  for (const one of variants.querySelectorAll("[data-do=remove-variant]")) one.hidden = variants.children.length < 2;
  soon();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(draw, PREVIEW_MS);
}

async function draw() {
  const number = ++asked;
  const variant = readVariant(current);
  document.querySelector("[data-which]").textContent = variants.children.length > 1 ? variant.name : "";
  const answer = await fetch("/staff/landing/preview", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ language, variant }),
  }).catch(() => null);
  // An answer that another one has overtaken is not drawn.
  if (number !== asked) return;
  if (!answer?.ok || answer.redirected) return tell((await answer?.json().catch(() => null))?.message ?? form.dataset.failed);
  tell("");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  preview.replaceChildren(...page.body.children);
}

function tell(words) {
  problem.textContent = words;
  problem.hidden = !words;
}

function freeName() {
  const taken = new Set([...variants.querySelectorAll("[data-field=name]")].map((field) => field.value));
  return [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].find((letter) => !taken.has(letter)) ?? "X";
}

const ACTS = {
  "add-block": (button) => {
    const variant = button.closest("[data-variant]");
    const block = addBlock(variant, { kind: variant.querySelector("[data-add-kind]").value });
    block?.querySelector("input")?.focus();
  },
  remove: (button) => button.closest("[data-block]").remove(),
  up: (button) => {
    const block = button.closest("[data-block]");
    block.previousElementSibling?.before(block);
    button.focus();
  },
  down: (button) => {
    const block = button.closest("[data-block]");
    block.nextElementSibling?.after(block);
    button.focus();
  },
  "add-variant": () => {
    if (variants.children.length < most.variants) addVariant({ ...readVariant(current), name: freeName() });
  },
  "remove-variant": (button) => {
    button.closest("[data-variant]").remove();
    choose(variants.firstElementChild);
  },
};

document.addEventListener("click", (event) => {
  const speaks = event.target.closest("[data-language]");
  if (speaks) {
    language = speaks.dataset.language;
    for (const one of document.querySelectorAll("[data-language]")) one.ariaPressed = String(one === speaks);
    soon();
  }
  const button = event.target.closest("[data-do]");
  if (!button || !ACTS[button.dataset.do]) return;
  ACTS[button.dataset.do](button);
  soon();
});

form.addEventListener("focusin", (event) => {
  const variant = event.target.closest("[data-variant]");
  if (variant && variant !== current) choose(variant);
});

form.addEventListener("input", (event) => {
  const block = event.target.closest("[data-block]");
  if (block && event.target.dataset.field === "kind") block.dataset.kind = event.target.value;
  soon();
});

form.addEventListener("change", async (event) => {
  const file = "upload" in event.target.dataset ? event.target.files[0] : null;
  if (!file) return;
  const choice = event.target.closest(".pairs").querySelector("[data-field=picture]");
  event.target.value = "";
  if (file.size > Number(form.dataset.mostUpload)) return tell(form.dataset.tooLarge);
  const body = new FormData();
  body.append("picture", file);
  const answer = await fetch("/staff/landing/pictures", { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (!said?.name) return tell(said?.message ?? form.dataset.failed);
  tell("");
  fill(choice, said.name);
  soon();
});

form.addEventListener("submit", () => {
  form.elements.content.value = JSON.stringify(read());
});

const draft = JSON.parse(document.getElementById("draft").textContent);
for (const field of form.querySelectorAll("[data-top]")) {
  const value = draft[field.dataset.top];
  if (field.type === "checkbox") field.checked = value !== false;
  else field.value = value ?? "";
}
for (const one of draft.variants) addVariant(one);
choose(variants.firstElementChild);
for (const one of document.querySelectorAll("[data-language]")) one.ariaPressed = String(one.dataset.language === language);
