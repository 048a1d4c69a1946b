// The wire to the box: the view is asked for every moment, and answered only when it has changed.

const POLL_MS = 1500;
const WHOLE_EVERY_MS = 20000;
const TIMEOUT_MS = 15000;

/** Keeps the tablet up to date. `onView(view)`; `onLost(lost)`. */
export class Link {
  constructor(counter, onView, onLost) {
    this.address = `/api/counter/${encodeURIComponent(counter)}`;
    this.onView = onView;
    this.onLost = onLost;
    this.tag = "";
    this.wholeAt = 0;
    this.misses = 0;
    this.asking = null;
  }

  /** Begin, for as long as the page lives. */
  start() {
    this.look();
    setInterval(() => document.hidden || this.look(), POLL_MS);
    document.addEventListener("visibilitychange", () => document.hidden || this.look());
  }

  /** Ask once; what is under way already is waited for. */
  async look() {
    this.asking ??= this.ask().finally(() => { this.asking = null; });
    return this.asking;
  }

  async ask() {
    // Some of it changes by time alone.
    const whole = performance.now() - this.wholeAt > WHOLE_EVERY_MS;
    const seen = whole ? "" : `?seen=${encodeURIComponent(this.tag)}`;
    try {
      const answer = await fetch(`${this.address}/view${seen}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!answer.ok) throw new Error(String(answer.status));
      this.misses = 0;
      this.onLost(false);
      if (answer.status === 204) return;
      const view = await answer.json();
      this.tag = view.tag;
      this.wholeAt = performance.now();
      this.onView(view);
    } catch {
      this.misses += 1;
      this.onLost(this.misses > 1);
    }
  }

  /** Do an action; returns null, or {status, error, message} when it was refused or did not arrive. */
  async act(action, values = {}) {
    try {
      const answer = await fetch(`${this.address}/${action}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(values),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.ok) return null;
      const type = answer.headers.get("Content-Type") ?? "";
      const said = type.includes("json") ? await answer.json() : { error: "unreachable", message: "" };
      return { status: answer.status, ...said };
    } catch (error) {
      return { status: 0, error: "unreachable", message: String(error) };
    } finally {
      // One that was asked before the action may still be on its way with the old view.
      await this.asking;
      await this.look();
    }
  }
}
