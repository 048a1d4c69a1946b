// Keys for fingers on the shift pages: a pad that types into the field touched last, a total while counting.

let field = null;

function typed(form) {
  const fields = [...form.querySelectorAll("[data-typed]")];
  return fields.includes(field) ? field : fields[0];
}

function press(key, input) {
  if (key === "erase") input.value = input.value.slice(0, -1);
  else if (key === "." && (input.dataset.typed === "whole" || input.value.includes("."))) return;
  else if (input.value.length < 9) input.value += key;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  mark(input);
}

function mark(input) {
  document.querySelectorAll("[data-typed].now").forEach((each) => each.classList.remove("now"));
  input.classList.add("now");
  field = input;
}

const yuan = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en")}.${String(fen % 100).padStart(2, "0")}`;

function total(form) {
  let sum = Math.round((parseFloat(form.elements.loose.value) || 0) * 100);
  for (const input of form.querySelectorAll("[data-fen]")) {
    const fen = (parseInt(input.value, 10) || 0) * Number(input.dataset.fen);
    form.querySelector(`[data-line=${input.id}]`).textContent = fen ? yuan(fen) : "";
    sum += fen;
  }
  form.querySelector("[data-total]").textContent = yuan(sum);
}

function step(id, by) {
  const input = document.getElementById(id);
  input.value = Math.max(0, (parseInt(input.value, 10) || 0) + by) || "";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  mark(input);
}

function showKind(form) {
  const kind = form.querySelector("[data-kind]:checked")?.value;
  if (!kind) return;
  form.querySelector("[data-amount]").hidden = kind === "no_sale";
  form.querySelectorAll("[data-reasons]").forEach((each) => { each.hidden = each.dataset.reasons !== kind; });
}

document.addEventListener("focusin", ({ target }) => { if (target.matches("[data-typed]")) mark(target); });
document.addEventListener("input", ({ target }) => {
  const form = target.closest("[data-count]");
  if (form) total(form);
  if (target.matches("[data-kind]")) showKind(target.form);
});
document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button?.form) return;
  const { key, more, less, reason } = button.dataset;
  if (key) press(key, typed(button.form));
  if (more) step(more, 1);
  if (less) step(less, -1);
  if (reason) button.form.elements.reason.value = reason;
});
document.querySelectorAll("form").forEach((form) => {
  showKind(form);
  // A second touch must not send a form twice.
  form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button.big").forEach((each) => { each.disabled = true; })));
});
