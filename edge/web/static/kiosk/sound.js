// A short tone on a scan or a warning, where the shop wants it. Nothing is said by sound alone.

const on = document.body.dataset.sound === "on";
let context = null;

/** Play the tone of "ok" or "warn"; nothing happens while sound is off or before the first touch. */
export function beep(kind) {
  if (!on) return;
  context ??= new AudioContext();
  if (context.state !== "running") {
    context.resume();
    return;
  }
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = kind === "ok" ? 880 : 330;
  volume.gain.setValueAtTime(0.12, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + 0.18);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.2);
}
