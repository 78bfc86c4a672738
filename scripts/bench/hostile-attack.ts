import type { Person } from './people.ts';

/** The program under attack, and who attacks it. */
export interface Target {
  readonly port: number;
  readonly key: string;
  /** People with a token, as anybody can have; the first owns the group of the first two. */
  readonly people: readonly Person[];
  readonly gid: string;
  /** Somebody with many friends, groups and chats. */
  readonly rich: Person;
  /** One of their groups. */
  readonly richGid: string;
}

/** One caller's abuse, which continues until its process is killed. */
export type Attack = (target: Target) => Promise<unknown>;

/** Repeats something in several concurrent loops. What fails is part of the attack. */
export const forever = (rows: number, act: (row: number, round: number) => Promise<unknown>) =>
  Promise.all(
    Array.from({ length: rows }, async (_, row) => {
      for (let round = 0; ; round++) await act(row, round).catch(() => undefined);
    }),
  );
