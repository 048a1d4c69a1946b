// Scanning with the phone's camera: live where the browser can detect barcodes, else by a picture that is made small
// enough to send. Everything else on the page works without this.

const MOST_BYTES = 44 * 1024;
const SIDES = [1600, 1280, 1024, 800, 640];
const QUALITIES = [0.82, 0.7, 0.55];
const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "itf", "qr_code", "data_matrix"];
const LOOK_EVERY_MS = 180;
const SAME_AGAIN_MS = 2500;

let stream = null;
let detector = null;
let seen = { code: "", at: -Infinity };
let sending = false;

const find = (selector) => document.querySelector(selector);

/** Show the parts that need a script; the page's cart may have been replaced. */
async function wake() {
  const camera = find("[data-camera]");
  if (!camera) return stopLive();
  camera.hidden = false;
  const photo = find("[data-photo]");
  photo.querySelector("input[type=file]").addEventListener("change", () => sendPicture(photo));
  const live = find("[data-live]");
  live.addEventListener("click", startLive);
  find("[data-stop]").addEventListener("click", stopLive);
  detector ??= await makeDetector();
  const able = Boolean(detector && navigator.mediaDevices?.getUserMedia);
  live.hidden = !able || Boolean(stream);
  if (stream) attach();
}

async function makeDetector() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((one) => known.includes(one));
    return formats.length ? new BarcodeDetector({ formats }) : null;
  } catch {
    return null;
  }
}

async function startLive() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch {
    // No camera, or it was refused: pictures and typing stay.
    find("[data-live]").hidden = true;
    return;
  }
  attach();
  look();
}

function attach() {
  const video = find("[data-video]");
  if (!video) return;
  video.srcObject = stream;
  video.hidden = false;
  video.play().catch(() => {});
  find("[data-live]").hidden = true;
  find("[data-stop]").hidden = false;
}

function stopLive() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  const video = find("[data-video]");
  if (!video) return;
  video.hidden = true;
  find("[data-stop]").hidden = true;
  find("[data-live]").hidden = !detector;
}

async function look() {
  while (stream) {
    const video = find("[data-video]");
    if (video?.readyState >= 2 && !sending) {
      const found = await detector.detect(video).catch(() => []);
      if (found.length) await take(found[0].rawValue);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Send a code that the camera sees; the same one again only after it was gone for a while. */
async function take(code) {
  const now = performance.now();
  const again = code === seen.code && now - seen.at < SAME_AGAIN_MS;
  seen = { code, at: now };
  if (again) return;
  const form = find(".typed");
  const body = new URLSearchParams({ code, key: newKey() });
  if (await send(form.action, body)) navigator.vibrate?.(60);
}

async function sendPicture(form) {
  const file = form.querySelector("input[type=file]").files[0];
  if (!file || sending) return;
  find("[data-busy]").hidden = false;
  const picture = await shrink(file).catch(() => null);
  const body = new FormData();
  body.append("key", newKey());
  body.append("picture", picture ?? new Blob([]), "picture.jpg");
  await send(form.action, body);
}

/** Make a picture fit: the largest sides and the best quality that stay below the limit. */
async function shrink(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = document.createElement("canvas");
  for (const side of SIDES) {
    const factor = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
    canvas.width = Math.round(bitmap.width * factor);
    canvas.height = Math.round(bitmap.height * factor);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    for (const quality of QUALITIES) {
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
      if (blob && blob.size <= MOST_BYTES) return blob;
    }
  }
  return null;
}

/** Post, and put the answer's cart in the place of this one; return whether something was added. */
async function send(address, body) {
  sending = true;
  try {
    const answer = await fetch(address, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("[data-cart]");
    if (!answer.ok || !fresh) {
      location.reload();
      return false;
    }
    find("[data-cart]").replaceWith(document.importNode(fresh, true));
    await wake();
    return Boolean(fresh.dataset.added);
  } catch {
    location.reload();
    return false;
  } finally {
    sending = false;
  }
}

function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (one) => one.toString(16).padStart(2, "0")).join("");
}

wake();
