// Keeps a staff page fresh, and says so when the box does not answer any more: old figures must not look fresh.

const EVERY_MS = Number(document.body.dataset.every ?? 2000);
const ANSWER_MS = 5000;
const GONE_AFTER_MS = 5000;

let heardAt = Date.now();

/** Take the main part of the page anew; what somebody is typing in or has opened stays as it is. */
async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(document.body.dataset.address ?? location.href, {
      headers: { "X-Refresh": "1" },
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (answer.type === "opaqueredirect") location.reload();
    if (answer.status >= 500) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    heardAt = Date.now();
    tellFresh(true);
    // The answer to a form stands at an address that cannot be asked for again; the box is there all the same.
    if (answer.ok) replaceMain(page.querySelector("main"));
  } catch {
    if (Date.now() - heardAt > GONE_AFTER_MS) tellFresh(false);
  }
}

function replaceMain(main) {
  const used = document.activeElement?.matches("main input, main select, main textarea");
  if (used || document.querySelector("main details[open], main form.act:not(details form)") || isFilledIn()) return;
  // What was refused stands there with what was typed; it stays until the person has gone on.
  if (document.querySelector("main > [role=alert]:not(.question)") && !document.body.dataset.address) return;
  keepMessage(main);
  const shown = document.querySelector("main");
  // Pictures that stay the same need not be fetched again.
  if (shown.innerHTML !== main.innerHTML) shown.replaceWith(main);
}

/** Whether a form holds what somebody has entered and not sent. */
function isFilledIn() {
  for (const field of document.querySelectorAll("main input, main textarea")) {
    if (field.value !== field.defaultValue || Boolean(field.checked) !== Boolean(field.defaultChecked)) return true;
  }
  for (const select of document.querySelectorAll("main select")) {
    const first = Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
    if (select.selectedIndex !== first) return true;
  }
  return false;
}

/** The word on what was just done is not in the page that is taken anew. */
function keepMessage(main) {
  const said = document.querySelector("main > .done, main > [role=alert]");
  if (said && document.body.dataset.address) main.prepend(said);
}

function tellFresh(fresh) {
  const banner = document.querySelector(".gone");
  document.body.dataset.fresh = fresh ? "yes" : "no";
  if (!banner || banner.hidden === fresh) return;
  banner.querySelector("time").textContent = new Date(heardAt).toLocaleTimeString(document.documentElement.lang, { hour12: false });
  banner.hidden = fresh;
}

/** A page that was out of sight is as old as it looks until the box has answered. */
function seenAgain() {
  if (document.hidden) return;
  if (Date.now() - heardAt > GONE_AFTER_MS) document.body.dataset.fresh = "asking";
  refresh();
}

document.addEventListener("visibilitychange", seenAgain);
setInterval(refresh, EVERY_MS);
