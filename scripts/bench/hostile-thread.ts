import { workerData } from 'node:worker_threads';
import { z } from 'zod';
import { Uid } from '../../contracts/ids.ts';
import { attacks } from './hostile-attacks.ts';

/* Attacks until it is ended: in a thread of its own, so that its work does not delay the bystander's clock. */

const Data = z.object({
  name: z.string(),
  target: z.object({
    port: z.int(),
    key: z.string(),
    people: z.array(z.object({ uid: Uid, token: z.string() })),
    gid: z.string(),
  }),
});

const { name, target } = Data.parse(workerData);
void attacks[name]?.(target);
