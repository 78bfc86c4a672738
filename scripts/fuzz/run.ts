import type { RunningProgram } from '../bench/program.ts';
import type { Call } from './calls.ts';
import type { Findings } from './findings.ts';
import type { PlantedTexts } from './planted-texts.ts';
import type { RunSecrets } from './secrets.ts';
import type { Tally } from './tally.ts';

/** What all lanes of a run share. */
export interface Run {
  readonly program: RunningProgram;
  readonly seed: number;
  readonly calls: readonly Call[];
  readonly files: readonly Buffer[];
  readonly planted: PlantedTexts;
  readonly secrets: RunSecrets;
  readonly findings: Findings;
  readonly answers: Tally;
  readonly sentFrames: Tally;
  readonly receivedFrames: Tally;
  /** Ends the run: its time is over, or the program has ended. */
  readonly signal: AbortSignal;
}
