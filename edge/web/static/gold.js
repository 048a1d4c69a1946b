// The slip within WeChat Pay's page after payment: says within three seconds whether it is to be shown.

const PAY = "https://payapp.weixin.qq.com";
const ASK_MS = 400;
const GIVE_UP_MS = 2400;
const MAX_HEIGHT = 960;

const begun = performance.now();

function say(message) {
  window.parent.postMessage(JSON.stringify(message), PAY);
}

function answer(shown) {
  const ready = { action: "onIframeReady", displayStyle: shown ? "SHOW_CUSTOM_PAGE" : "SHOW_OFFICIAL_PAGE" };
  if (shown) ready.height = Math.min(MAX_HEIGHT, Math.ceil(document.querySelector("main").scrollHeight));
  say(ready);
  if (shown) tell("opened");
}

// The gateway may know of the payment a moment before the box does.
async function wait() {
  while (document.body.dataset.state === "pending" && performance.now() - begun < GIVE_UP_MS) {
    await new Promise((done) => setTimeout(done, ASK_MS));
    const page = await fetch(location.href).then((reply) => reply.text()).catch(() => "");
    const fresh = new DOMParser().parseFromString(page, "text/html");
    if (!fresh.body.dataset.state) continue;
    Object.assign(document.body.dataset, fresh.body.dataset);
    document.querySelector("main").replaceChildren(...fresh.querySelectorAll("main > *"));
  }
  answer(document.body.dataset.state === "ready");
}

function tell(touchpoint) {
  const { touch } = document.body.dataset;
  if (!touch) return;
  const headers = { "Content-Type": "application/json" };
  fetch(touch, { method: "POST", headers, body: JSON.stringify({ touchpoint }), keepalive: true }).catch(() => null);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-jump]");
  if (!button) return;
  tell(button.dataset.kind);
  say({ action: "jumpOut", jumpOutUrl: button.dataset.jump });
});

wait();
