import pTimeout from 'p-timeout';
import { reasonOf } from '../../services/error-reason.ts';

/** `fault`: something does not work, or is about to lose data. `warning`: it works, and will not go on doing so. */
export type State = 'ok' | 'warning' | 'fault';

/** One thing that the doctor examined. */
export interface Finding {
  readonly state: State;
  /** What was examined: the same word for all findings about one thing. */
  readonly about: string;
  /** What was found, in one line, without secrets. */
  readonly found: string;
  /** What to do; undefined if nothing is to be done. */
  readonly remedy?: string;
}

/** Examines one thing, without changing anything. What it throws becomes a fault. */
export type Examination = () => Promise<readonly Finding[]>;

/** The findings about one thing. */
export function findings(about: string) {
  return {
    ok: (found: string): Finding => ({ state: 'ok', about, found }),
    warning: (found: string, remedy: string): Finding => ({ state: 'warning', about, found, remedy }),
    fault: (found: string, remedy: string): Finding => ({ state: 'fault', about, found, remedy }),
    /** The fault of an error whose message says what to do, as those of the program do. */
    refused: (error: unknown): Finding => ({ state: 'fault', about, found: reasonOf(error) }),
  };
}

/** How long an examination may take. Connections have shorter timeouts of their own. */
const examinationMs = 15_000;

/** Runs all examinations at once. @returns their findings, in the order of the examinations */
export async function examineAll(
  examinations: readonly (readonly [about: string, examine: Examination])[],
): Promise<Finding[]> {
  const late = `no result within ${examinationMs / 1000} s`;
  const found = examinations.map(async ([about, examine]) => {
    try {
      return await pTimeout(examine(), { milliseconds: examinationMs, message: late });
    } catch (error) {
      return [findings(about).refused(error)];
    }
  });
  return (await Promise.all(found)).flat();
}
