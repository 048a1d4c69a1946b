// Keeps a staff page fresh: takes its main part anew every two seconds while it is seen.

const EVERY_MS = 2000;

async function refresh() {
  const typing = document.activeElement?.matches("main input, main select");
  if (document.hidden || typing) return;
  try {
    const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, redirect: "manual", signal: AbortSignal.timeout(5000) });
    if (answer.type === "opaqueredirect") location.reload();
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (document.activeElement?.matches("main input, main select")) return;
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.body.dataset.fresh = "yes";
  } catch {
    document.body.dataset.fresh = "no";
  }
}

setInterval(refresh, EVERY_MS);
