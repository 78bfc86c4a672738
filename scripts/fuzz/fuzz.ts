import { freePort } from '../../test/support/free-port.ts';
import { startProgram } from '../bench/program.ts';
import { readCalls } from './calls.ts';
import { restoreSettings } from './cast.ts';
import { makeFiles } from './files.ts';
import { Findings } from './findings.ts';
import { FrameLane } from './frame-lane.ts';
import { PlantedTexts } from './planted-texts.ts';
import { judgeLogLine } from './program-log.ts';
import { Random } from './random.ts';
import { RequestLane } from './request-lane.ts';
import type { Run } from './run.ts';
import { RunSecrets } from './secrets.ts';
import { Tally } from './tally.ts';

export interface FuzzOptions {
  readonly requests: number;
  readonly frames: number;
  readonly seed: number;
  /** How many requests are under way at once. */
  readonly lanes: number;
  /** The longest that it goes on. */
  readonly seconds: number;
}

/** How many lanes of frames there are; each has six sockets. */
const frameLanes = 2;

/** Starts a program, fuzzes it and prints what came. @returns whether nothing was found */
export async function fuzz(options: FuzzOptions): Promise<boolean> {
  const ending = new AbortController();
  const findings = new Findings((text) => console.error(text));
  let isEnding = false;
  const program = await startProgram(await freePort(), 'warn', {
    line: (line) => {
      const fault = judgeLogLine(line);
      if (fault !== undefined) findings.add(fault, line.slice(0, 2_000));
    },
    ended: (how) => {
      if (!isEnding) findings.add('the program ended', String(how));
      ending.abort();
    },
  });
  const end = () => ending.abort();
  const timer = setTimeout(end, options.seconds * 1000);
  // What was started must not outlive this process.
  process.once('SIGINT', end).once('SIGTERM', end);
  const run: Run = {
    ...{ program, findings, seed: options.seed, signal: ending.signal },
    calls: readCalls(await (await fetch(`http://127.0.0.1:${program.port}/openapi.json`)).text()),
    files: await makeFiles(new Random(`${options.seed}/files`)),
    planted: new PlantedTexts(),
    secrets: new RunSecrets(program),
    ...{ answers: new Tally(), sentFrames: new Tally(), receivedFrames: new Tally() },
  };
  const began = performance.now();
  try {
    await runLanes(run, options);
    // Of what came too late for a request or a frame.
    if (!ending.signal.aborted) await mustBeReady(run);
  } finally {
    clearTimeout(timer);
    isEnding = true;
    ending.abort();
    await program.stop();
  }
  return report(run, (performance.now() - began) / 1000);
}

async function runLanes(run: Run, { requests, frames, lanes }: FuzzOptions): Promise<void> {
  await restoreSettings(run.program);
  const opened: RequestLane[] = [];
  const work: (() => Promise<void>)[] = [];
  for (let index = 0; index < lanes && requests > 0; index++) {
    const lane = await RequestLane.open(run, `r${index}`);
    opened.push(lane);
    work.push(() => lane.send(Math.ceil((requests - index) / lanes)));
  }
  for (let index = 0; index < frameLanes && frames > 0; index++) {
    const lane = await RequestLane.open(run, `s${index}`);
    opened.push(lane);
    work.push(() => new FrameLane(run, lane).send(Math.ceil((frames - index) / frameLanes)));
  }
  await Promise.all(work.map((begin) => begin()));
  for (const lane of opened) lane.close();
}

async function mustBeReady({ program, findings }: Run): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${program.port}/ready`).catch(() => undefined);
  if (!answer?.ok) findings.add('the program is not ready at the end', (await answer?.text()) ?? 'no answer');
}

function report({ answers, sentFrames, receivedFrames, findings }: Run, seconds: number): boolean {
  const rate = (count: number) => (count / seconds).toFixed(0);
  console.log(
    `${answers.total()} requests, ${rate(answers.total())} a second; the answers:\n${answers.lines()}`,
  );
  if (sentFrames.total() > 0) {
    console.log(
      `${sentFrames.total()} frames sent, ${rate(sentFrames.total())} a second:\n${sentFrames.lines()}`,
    );
    console.log(`${receivedFrames.total()} frames received:\n${receivedFrames.lines()}`);
  }
  const found = [...findings.counts()];
  for (const [kind, count] of found) console.error(`${count} × ${kind}`);
  console.log(found.length === 0 ? 'nothing was found' : `${found.length} kinds of faults were found`);
  return found.length === 0;
}
