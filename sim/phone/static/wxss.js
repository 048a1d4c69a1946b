// WXSS to CSS: rpx and the window's units are those of the phone's screen.

export class WxssError extends Error {}

/** Return the CSS of a file's text. */
export function css(text, file) {
  const bare = text.replace(/\/\*[\s\S]*?\*\//g, "");
  if (/@import/.test(bare)) throw new WxssError(`${file}: @import is not in the subset`);
  const id = /(^|[},\s])[#[*][\w-]*[^{};]*\{/.exec(bare);
  if (id) throw new WxssError(`${file}: ${id[0].trim()} selects by something else than classes`);
  return units(bare);
}

/** Return a path of the mini-program that `name` means in `file`. */
export function resolve(file, name) {
  const parts = name.startsWith("/") ? [] : file.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Return declarations with the phone's own units. */
export function units(text) {
  // The phone's own bar at the bottom covers so much.
  const inset = text.replace(/env\(safe-area-inset-bottom\)/g, "18px");
  return inset.replace(/(-?\d*\.?\d+)(rpx|vw|vh)\b/g, (_, number, unit) => `calc(${number} * var(--${unit}))`);
}
