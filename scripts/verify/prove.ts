import { readFile, writeFile } from 'node:fs/promises';
import { latestHead } from '../../services/audit/tree/heads.ts';
import { proofFile, verifyProofFile } from '../../services/audit/tree/proof-file.ts';
import { inclusionProof } from '../../services/audit/tree/proofs.ts';
import { subtreesIn } from '../../services/audit/tree/tiles.ts';
import { readEnvironment } from '../../services/environment.ts';
import { whileReading, whileWriting } from '../../services/file-failure.ts';
import type { EventId } from '../../services/log/log.ts';
import { NothingMatches } from '../cli/command.ts';
import { escapeControls } from '../cli/output.ts';
import { writingTo } from '../cli/output-file.ts';
import { knownVerifier, verifierFrom, withAudit } from './with-audit.ts';

/** Writes a proof that an event is in the log of the last head, with the event. */
export function proveEvent(id: EventId, file: string): Promise<void> {
  return withAudit(async ({ environment, log, pool, store }) => {
    const [found] = await store.find(id);
    const event = found && (await log.at(found.position));
    if (!found || !event) throw new NothingMatches(`the audited log has no event ${id}`);
    const head = await latestHead(pool, environment.auditOrigin, await knownVerifier(undefined, environment));
    if (!head || head.size <= found.number) {
      throw new Error('no head was signed since this event: one is, within 10 s, while bubble-im runs');
    }
    const proof = await inclusionProof(subtreesIn(store.readTile), found.number, head.size);
    const content = proofFile(event, { index: found.number, proof, head });
    await writingTo({ option: '--out', path: file }, () => whileWriting(file, writeFile(file, content)));
    console.log(
      `${file} proves that ${event.stream}@${event.revision} is event ${found.number} of the ${head.size} events of ${head.origin}`,
    );
  });
}

/** Verifies a proof, with nothing but the file and the verifier key, and prints the event. */
export async function checkProof(file: string, verifierKey: string | undefined): Promise<void> {
  const verifier = await verifierFrom(verifierKey, readEnvironment());
  const text = await whileReading(file, readFile(file, 'utf8'));
  const { event, index, size, origin } = verifyProofFile(text, verifier);
  console.log(`The proof is right: this is event ${index} of the ${size} events that ${origin} signed`);
  console.log(escapeControls(JSON.stringify(event)));
}
