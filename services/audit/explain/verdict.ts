import { type CodeName, codes, Refusal } from '../../../contracts/codes.ts';

/** The answer to a question at some moment. */
export interface Verdict {
  /** Whether it is so, or how many. */
  readonly value: boolean | number;
  /** What follows the name of the person in a sentence; two verdicts of the same words are the same. */
  readonly words: string;
  /** What a command is refused with. */
  readonly refusal?: { readonly reason: CodeName; readonly code: number; readonly msg: string };
}

/**
 * Runs a check of the domain: it is so, unless the check refuses.
 * @param yes the words if it does not refuse, by what the check gives
 * @param no the words if it refuses; what is refused with follows them
 */
export function verdictOf<Given>(check: () => Given, yes: (given: Given) => string, no: string): Verdict {
  try {
    return { value: true, words: yes(check()) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message: msg } = error;
    const { code } = codes[reason];
    return { value: false, words: `${no}: ${msg} (code ${code})`, refusal: { reason, code, msg } };
  }
}
