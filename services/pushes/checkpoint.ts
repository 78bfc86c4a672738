import { defaultSettings } from '../../contracts/settings.ts';
import type { BigintColumn } from '../postgres/database.ts';

/** How far the read models reach, and what holds there. */
export interface Checkpoint {
  /** The position of the last event that they show. */
  readonly position: string;
  readonly batch: number;
  readonly epoch: string;
  /** The fence of the projector that wrote it. */
  readonly fence: number;
  /** False while the read models are rebuilt from the log: most of it is then missing. */
  readonly whole: boolean;
  /** Whether the setting `escape_html` is on at this position. */
  readonly escapes: boolean;
}

/** `checkpointColumns` as a row. */
export interface CheckpointRow {
  position: string;
  batch: BigintColumn;
  epoch: string;
  fence: BigintColumn;
  whole: boolean;
  escape_html: string | null;
}

/** SQL: the columns of `CheckpointRow`, from `fromCheckpoint`. */
export const checkpointColumns = 'c.position, c.batch, c.epoch, c.fence, c.whole, c.escape_html';

/** SQL: the checkpoint of the read models as the table `c`. */
export const fromCheckpoint = `(select position, batch, epoch, fence, position >= quiet_until as whole,
         (select value from read.settings where name = 'escape_html') as escape_html
  from followers.checkpoint where name = 'read') c`;

/** @throws Error if there is no row: the database is not migrated. */
export function checkpointOf(row: CheckpointRow | undefined): Checkpoint {
  if (row === undefined) throw new Error('the read models have no checkpoint: the database is not migrated');
  const { position, batch, epoch, fence, whole, escape_html } = row;
  const escapes = (escape_html ?? defaultSettings.escape_html) === 'on';
  return { position, batch: Number(batch), epoch, fence: Number(fence), whole, escapes };
}
