import process from 'node:process';
import { z } from 'zod';
import { Uid } from '../../contracts/ids.ts';
import { attacks } from './hostile-attacks.ts';

/* Attacks until it is killed: in a process of its own, so that its work does not delay the bystander's clock. */

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

process.on('message', (message) => {
  const { name, target } = Data.parse(message);
  void attacks[name]?.(target);
});
process.on('disconnect', () => process.exit());
