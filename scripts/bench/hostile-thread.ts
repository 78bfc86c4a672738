import { constants, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Uid } from '../../contracts/ids.ts';
import { attacks } from './hostile-attacks.ts';

/* Attacks until it is ended: in a thread of its own, so that its work does not delay the bystander's clock. */

const Person = z.object({ uid: Uid, username: z.string(), token: z.string() });
const Data = z.object({
  name: z.string(),
  target: z.object({
    port: z.int(),
    key: z.string(),
    people: z.array(Person),
    gid: z.string(),
    rich: Person,
    richGid: z.string(),
  }),
});

// On Linux this is of the thread alone: the attacker's machine is another one, whose work takes nothing here.
setPriority(constants.priority.PRIORITY_LOW);
const { name, target } = Data.parse(workerData);
void attacks[name]?.(target);
