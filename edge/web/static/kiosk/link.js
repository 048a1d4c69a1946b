// The wire to the box: a live stream of views, polling where no stream is to be had, and actions.

const POLL_MS = 1000;
const RETRY_STREAM_MS = 15000;
const SILENT_MS = 25000;
const LOST_AFTER_MS = 1200;
const ACT_TIMEOUT_MS = 10000;

/** Keeps the page up to date. `onView(view)`; `onState("live" | "polling" | "lost")`. */
export class Link {
  constructor(workstation, onView, onState) {
    this.address = `/api/kiosk/${encodeURIComponent(workstation)}`;
    this.onView = onView;
    this.onState = onState;
    this.heardAt = performance.now();
    this.polling = false;
    this.lostTimer = 0;
  }

  /** Begin, for as long as the page lives. */
  start() {
    this.openStream();
    setInterval(() => this.checkSilence(), 5000);
  }

  /** Do an action; returns null, or {error, message} when it was refused or did not arrive. */
  async act(action, values = {}) {
    try {
      const answer = await fetch(`${this.address}/${action}`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(values),
        signal: AbortSignal.timeout(ACT_TIMEOUT_MS),
      });
      if (this.polling) this.poll();
      if (answer.ok) return null;
      const type = answer.headers.get("Content-Type") ?? "";
      return type.includes("json") ? await answer.json() : { error: "unreachable", message: "" };
    } catch (error) {
      return { error: "unreachable", message: String(error) };
    }
  }

  openStream() {
    this.stream?.close();
    this.heardAt = performance.now();
    const stream = new EventSource(`${this.address}/stream`);
    this.stream = stream;
    stream.addEventListener("view", (event) => {
      this.heard("live");
      this.polling = false;
      this.onView(JSON.parse(event.data));
    });
    stream.addEventListener("alive", () => this.heard("live"));
    stream.addEventListener("error", () => this.streamFailed(stream));
  }

  streamFailed(stream) {
    if (stream !== this.stream) return;
    if (stream.readyState !== EventSource.CLOSED) {
      this.lostSoon();
      return;
    }
    setTimeout(() => this.openStream(), RETRY_STREAM_MS);
    if (!this.polling) this.startPolling();
  }

  async startPolling() {
    this.polling = true;
    while (this.polling) {
      await this.poll();
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async poll() {
    try {
      const answer = await fetch(`${this.address}/view`, { signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const view = await answer.json();
      if (!this.polling) return;
      this.heard("polling");
      this.onView(view);
    } catch {
      this.lostSoon();
    }
  }

  heard(state) {
    this.heardAt = performance.now();
    clearTimeout(this.lostTimer);
    this.lostTimer = 0;
    this.onState(state);
  }

  lostSoon() {
    if (!this.lostTimer) this.lostTimer = setTimeout(() => this.onState("lost"), LOST_AFTER_MS);
  }

  checkSilence() {
    if (this.polling || performance.now() - this.heardAt < SILENT_MS) return;
    this.lostSoon();
    this.openStream();
  }
}
