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
  /** The last codes sent to any phone, newest first. */
  latest(): Promise<InboxMessage[]>;
}

/** Codes kept for each phone; housekeeping removes those older than a day. */
const maxPerPhone = 20;

/** Codes of all phones that are shown at once. */
const maxLatest = 100;

/** The provider for development: it sends nothing, and its codes can be read. */
export function createSmsInbox(database: AccountsDatabase): SmsInbox {
  const messages = () =>
    database.selectFrom('accounts.sms_inbox').select(['phone', 'type', 'code', 'sent']).orderBy('id', 'desc');
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
      return (await messages().where('phone', '=', phone).execute()).map(shown);
    },
    async latest() {
      return (await messages().limit(maxLatest).execute()).map(shown);
    },
  };
}

function shown({
  sent,
  ...message
}: Omit<InboxMessage, 'timestamp'> & { readonly sent: Date }): InboxMessage {
  return { ...message, timestamp: Math.floor(sent.getTime() / 1000) };
}
