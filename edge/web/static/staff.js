// Keeps a staff page fresh: takes its main part anew every two seconds while it is seen.

const EVERY_MS = 2000;

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { redirect: "manual", signal: AbortSignal.timeout(5000) });
    if (answer.type === "opaqueredirect") location.reload();
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    document.body.dataset.fresh = "yes";
  } catch {
    document.body.dataset.fresh = "no";
  }
}

setInterval(refresh, EVERY_MS);
