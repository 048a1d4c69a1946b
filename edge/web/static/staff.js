// Keeps a staff page fresh, and says so when the box does not answer any more: old figures must not look fresh.

const EVERY_MS = 2000;
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
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    heardAt = Date.now();
    tellFresh(true);
    replaceMain(page.querySelector("main"));
  } catch {
    if (Date.now() - heardAt > GONE_AFTER_MS) tellFresh(false);
  }
}

function replaceMain(main) {
  const used = document.activeElement?.matches("main input, main select, main textarea");
  if (used || document.querySelector("main details[open], main form.act")) return;
  keepMessage(main);
  document.querySelector("main").replaceWith(main);
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
