import { operatorCommand, runCommand } from './cli/command.ts';
import { interruptible } from './cli/interruption.ts';
import { rebuildAuditIndex } from './rebuild/audit-index.ts';

/** `npm run rebuild`: makes again what is made of the log, while the system runs or at rest. */

interface Options {
  readonly audit?: true;
}

const command = operatorCommand({
  name: 'rebuild',
  description: 'Makes again what is made of the log. The log itself is not changed.',
  examples: [['--audit', 'the index of the log, which replay and explain use']],
})
  .option('--audit', 'the index of the log, and what is made together with it')
  .action(async ({ audit }: Options) => {
    if (!audit) throw new Error('say what to make again: --audit');
    await rebuildAuditIndex(interruptible().signal);
  });

await runCommand(command);
