// Tells the box which steps were taken on a receipt's page; the page works without it.

const { touch, thanks } = document.body.dataset;

function tell(touchpoint) {
  return fetch(touch, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ touchpoint }),
    keepalive: true,
  }).catch(() => null);
}

tell("opened");

// A button that leads nowhere stays on the page and says thank you.
for (const form of document.querySelectorAll("form[data-stay]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    const answer = await tell(form.elements.touchpoint.value);
    button.disabled = Boolean(answer?.ok);
    if (!answer?.ok) return;
    button.textContent = thanks;
    button.classList.add("asked");
  });
}
