import type { AccountsDatabase } from '../accounts/accounts-tables.ts';
import type { SmsProvider } from './provider.ts';

/** A code as the development inbox shows it. */
export interface InboxMessage {
  readonly phone: string;
  readonly type: string;
  readonly code: string;
  /** In whole seconds. */
  readonly timestamp: number;
}

export interface SmsInbox extends SmsProvider {
  /** The last codes sent to the phone, newest first. */
  sentTo(phone: string): Promise<InboxMessage[]>;
}

/** Codes kept for each phone; housekeeping removes those older than a day. */
const maxPerPhone = 20;

/** The provider for development: it sends nothing, and its codes can be read. */
export function createSmsInbox(database: AccountsDatabase): SmsInbox {
  return {
    local: true,
    async send(phone, type, code) {
      await database.insertInto('accounts.sms_inbox').values({ phone, type, code }).execute();
      await database
        .deleteFrom('accounts.sms_inbox')
        .where('phone', '=', phone)
        .where('id', '<=', (inbox) =>
          inbox
            .selectFrom('accounts.sms_inbox')
            .select('id')
            .where('phone', '=', phone)
            .orderBy('id', 'desc')
            .offset(maxPerPhone)
            .limit(1),
        )
        .execute();
    },
    async sentTo(phone) {
      const rows = await database
        .selectFrom('accounts.sms_inbox')
        .select(['phone', 'type', 'code', 'sent'])
        .where('phone', '=', phone)
        .orderBy('id', 'desc')
        .execute();
      return rows.map(({ sent, ...message }) => ({
        ...message,
        timestamp: Math.floor(sent.getTime() / 1000),
      }));
    },
  };
}
