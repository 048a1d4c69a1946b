// The way out: keeps the field ready for a scanner, shows and sounds each new look, says when the box is silent.

const EVERY_MS = Number(document.body.dataset.every ?? 600);
const ANSWER_MS = 5000;
const GONE_AFTER_MS = 4000;
// Tones as [hertz, from, to] in seconds.
const TONES = {
  pass: [[1320, 0, 0.16]],
  recheck: [[740, 0, 0.16], [740, 0.24, 0.4]],
  done: [[988, 0, 0.12], [1320, 0.14, 0.3]],
  stop: [[196, 0, 0.55]],
};

let heardAt = Date.now();
let audio = null;

const look = (root = document) => root.querySelector("[data-look]");

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(document.body.dataset.address, { headers: { "X-Refresh": "1" }, redirect: "manual", signal: AbortSignal.timeout(ANSWER_MS) });
    if (answer.type === "opaqueredirect") return location.reload();
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    heardAt = Date.now();
    tellFresh(true);
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    if (Date.now() - heardAt > GONE_AFTER_MS) tellFresh(false);
  }
}

/** Show the page anew, unless nothing happened or the guard is filling in what is in the bag. */
function take(page) {
  const before = look().dataset.look;
  const after = look(page).dataset.look;
  const same = before === after && look().dataset.verdict === look(page).dataset.verdict;
  if (same || (before === after && document.querySelector(".recheck"))) return;
  const typed = document.querySelector("[data-wedge]").value;
  document.querySelector("main").replaceWith(document.importNode(page.querySelector("main"), true));
  document.querySelector("[data-wedge]").value = typed;
  focus();
  if (after && after !== before) sound(look().dataset.verdict);
}

function sound(verdict) {
  try {
    audio ??= new AudioContext();
    const from = audio.currentTime;
    for (const [hertz, begin, end] of TONES[verdict] ?? TONES.stop) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = hertz;
      tone.type = TONES[verdict] ? "sine" : "square";
      volume.gain.value = 0.25;
      tone.connect(volume).connect(audio.destination);
      tone.start(from + begin);
      tone.stop(from + end);
    }
  } catch {
    // No sound here; the colour is enough.
  }
}

function focus() {
  if (!document.activeElement?.matches(".recheck input, button")) document.querySelector("[data-wedge]")?.focus();
}

async function send(form) {
  const body = new URLSearchParams(new FormData(form));
  document.querySelector("[data-wedge]").value = "";
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(ANSWER_MS) });
    heardAt = Date.now();
    tellFresh(true);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (look(page)) take(page);
    else location.reload();
  } catch {
    tellFresh(false);
  }
}

function tellFresh(fresh) {
  const banner = document.querySelector(".gone");
  document.body.dataset.fresh = fresh ? "yes" : "no";
  if (!banner || banner.hidden === fresh) return;
  banner.querySelector("time").textContent = new Date(heardAt).toLocaleTimeString(document.documentElement.lang, { hour12: false });
  banner.hidden = fresh;
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".wedge")) return;
  event.preventDefault();
  if (document.querySelector("[data-wedge]").value.trim()) send(event.target);
});
// A scanner types wherever the focus is; letters that nobody asked for belong into the field.
document.addEventListener("keydown", (event) => {
  if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !document.activeElement?.matches("input")) focus();
});
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY_MS);
focus();
