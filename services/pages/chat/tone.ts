import { home } from './home.ts';

let context: AudioContext | undefined;
let playedAt = Number.NEGATIVE_INFINITY;

/** Messages that come together make one tone. */
const atMostEveryMs = 2_000;
const frequencyHz = 880;
const lengthSeconds = 0.15;
/** A fraction of full loudness. */
const loudness = 0.05;

/** Plays a short tone, unless the system's settings forbid it. Browsers allow it once the person has used the page. */
export function playTone(): void {
  const now = performance.now();
  const allowed = home.settings?.prompt_tone === 'on' && navigator.userActivation?.hasBeenActive;
  if (!allowed || now - playedAt < atMostEveryMs) return;
  playedAt = now;
  context ??= new AudioContext();
  const tone = new OscillatorNode(context, { frequency: frequencyHz });
  tone.connect(new GainNode(context, { gain: loudness })).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + lengthSeconds);
}
