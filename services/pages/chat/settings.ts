import type { Data } from '../shared/calls.ts';

/** The settings of the system as everyone may see them. */
export type PublicSettings = Data<'/pop/getsetting'>;
