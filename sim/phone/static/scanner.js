// The camera's screen: what could be held before it in the mall, a picture, a real camera, or typing.

import { phone } from "./phone.js";
import { h, toast } from "./sheets.js";

const GROUPS = ["screen", "tablet", "slip", "lane", "touchpoint", "wall"];
const LOOK_MS = 3_000;
const FRAME_MS = 400;
const at = (id) => document.getElementById(id);
let resolveScan = null;
let timer = 0;
let stream = null;

/** Show the scanner; resolves with {text, kind} or null. goods: whether things on the shelf are wanted. */
export function scan(goods) {
  at("scanner").hidden = false;
  at("typed-code").value = "";
  at("typed-code").placeholder = phone.word("typed");
  at("found").replaceChildren();
  look(goods);
  timer = setInterval(() => look(goods), LOOK_MS);
  return new Promise((resolve) => { resolveScan = resolve; });
}

function end(found) {
  clearInterval(timer);
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  at("video").hidden = true;
  at("scanner").hidden = true;
  const resolve = resolveScan;
  resolveScan = null;
  resolve?.(found);
}

/** Say how a code would have been printed. */
export function kindOf(text) {
  if (/^\d{13}$/.test(text)) return "EAN_13";
  if (/^\d{8}$/.test(text)) return "EAN_8";
  return /^[\x20-\x7e]{1,30}$/.test(text) && !text.includes("/") ? "CODE_128" : "QR_CODE";
}

async function look(goods) {
  const told = await (await fetch("/codes")).json();
  for (const code of told.codes) if (code.picture) code.text = await readPicture(code.picture);
  const groups = GROUPS.map((where) => [where, told.codes.filter((code) => code.where === where && code.text)
    .map((code) => [code.what, code.text])]);
  if (goods) {
    groups.unshift(["goods", told.goods.map((one) => [`${phone.language === "en" ? one.name_en : one.name}  ¥${one.price}`, one.code])]);
  }
  const shown = groups.filter(([, codes]) => codes.length).map(([where, codes]) => h("div", {},
    h("h2", {}, phone.word(where)), h("ul", {}, ...codes.map(([what, text]) => line(what, text)))));
  const list = at("found");
  const where = list.scrollTop;
  list.replaceChildren(...(shown.length ? shown : [h("p", {}, phone.word("nothing"))]));
  list.scrollTop = where;
}

function line(what, text) {
  return h("li", {}, h("button", { onclick: () => end({ text, kind: kindOf(text) }), value: text }, h("strong", {}, what), h("code", {}, text)));
}

async function read(blob) {
  const answer = await (await fetch("/read", { method: "POST", body: blob })).json();
  return answer.codes?.[0] ?? "";
}

async function film() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    toast({ title: phone.word("noCamera"), icon: "error" });
    return;
  }
  const video = at("video");
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const frame = async () => {
    if (!stream) return;
    const text = await read(await drawn(video, video.videoWidth, video.videoHeight));
    if (text) end({ text, kind: kindOf(text) });
    else setTimeout(frame, FRAME_MS);
  };
  frame();
}

async function drawn(source, width, height) {
  const canvas = h("canvas", { width, height });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(source, 0, 0, width, height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.9); });
}

/** Return the first code among the pictures that a document or element shows, "" when there is none. */
export async function readPage(page) {
  for (const picture of picturesOf(page)) {
    const source = picture.tagName === "img" || picture.src ? picture.src
      : `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(picture))}`;
    const text = await readPicture(source);
    if (text) return text;
  }
  return "";
}

/** The pictures that are seen, also those within components. */
function picturesOf(root) {
  return [...root.querySelectorAll("*")].flatMap((one) => [
    ...(one.matches("img, svg") && one.checkVisibility() ? [one] : []),
    ...(one.shadowRoot ? picturesOf(one.shadowRoot) : []),
  ]);
}

/** Return the code that a picture shows, "" for none. */
async function readPicture(source) {
  const image = new Image();
  image.src = source;
  try {
    await image.decode();
  } catch {
    return "";
  }
  return read(await drawn(image, 600, 600));
}

/** Make the scanner's buttons work. */
export function startScanner() {
  at("scan-close").onclick = () => end(null);
  at("typed").onsubmit = (event) => {
    event.preventDefault();
    const text = at("typed-code").value.trim();
    if (text) end({ text, kind: kindOf(text) });
  };
  at("look").onclick = () => look(true);
  at("camera").onclick = film;
  at("picture").onchange = async () => {
    const [file] = at("picture").files;
    at("picture").value = "";
    const text = file ? await read(file) : "";
    if (text) end({ text, kind: kindOf(text) });
    else toast({ title: phone.word("noCode"), icon: "error" });
  };
}
