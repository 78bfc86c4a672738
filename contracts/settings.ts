import { z } from 'zod';

const onOff = z.enum(['on', 'off']);
const count = z.int().positive().max(1_000_000_000);

/** The system's switches with their defaults, as `pop/getsetting` shows them. */
export const PublicSettings = z.object({
  voice: onOff.default('on'),
  audio: onOff.default('off'),
  video: onOff.default('off'),
  prompt_tone: onOff.default('on'),
  group_chat: onOff.default('on'),
  private_chat: onOff.default('on'),
  add_friend: onOff.default('on'),
  create_group: onOff.default('on'),
  upload_file: onOff.default('on'),
  upload_img: onOff.default('on'),
  emoji: onOff.default('on'),
  member_detail: onOff.default('on'),
  stranger_chat: onOff.default('on'),
  /** Empty: ws(s)://Host of the request. */
  ws_address: z.string().max(255).default(''),
  app_name: z.string().min(1).max(64).default('泡泡IM'),
  register: onOff.default('on'),
  /** Whether joining asks for a phone and a code sent to it. */
  register_sms: onOff.default('on'),
  register_captcha: onOff.default('off'),
  login_captcha: onOff.default('off'),
  explore_url: z.string().max(255).default('https://m.baidu.com'),
  qrcode_friend: onOff.default('on'),
  qrcode_group: onOff.default('on'),
  qrcode_scan: onOff.default('on'),
  /** Whether what people wrote is escaped for HTML in answers and pushes; shown, since pages must not escape it again. */
  escape_html: onOff.default('off'),
});

/** What only the server's key sets and no answer shows. */
export const PrivateSettings = z.object({
  /** Words that are replaced by asterisks, separated by commas or newlines; shown as "". */
  dirty_words: z.string().max(1_000_000).default(''),
  /** How long a sender may revoke a message. */
  revoke_seconds: count.default(120),
  /** How long a token lives after its last use. */
  token_days: count.default(30),
  upload_img_mb: count.default(10),
  upload_file_mb: count.default(50),
  /** How many MB all uploads of a person may take together. */
  upload_quota_mb: count.default(10_000),
  /** Below this many MB of free disk uploads are refused, so that messages can still be stored. */
  upload_reserve_mb: count.default(1_000),
  /** Requests a second for one token. */
  limit_token: count.default(5000),
  /** Requests a second for one address without a token. */
  limit_address: count.default(100),
  /** Changes that one person makes an hour, each KB as one: more than anybody types, as the log keeps them for ever. */
  limit_commands: count.default(60_000),
  /** Failed passwords a minute for one username from one address. */
  limit_password: count.default(10),
  /** Seconds between two SMS codes for one phone and purpose; at most a day, as long as codes are remembered. */
  limit_sms_seconds: z.int().positive().max(86_400).default(60),
  /** SMS codes a day for one phone that one address asks for. */
  limit_sms_phone: count.default(10),
  /** SMS codes an hour that one address asks for. */
  limit_sms_address: count.default(60),
  /** Groups that one person creates an hour: more than anybody begins to talk in. */
  limit_group_creations: count.default(60),
  /** Members that one person adds an hour, over all groups: as many as one group can have. */
  limit_member_additions: count.default(10_000),
  /** Groups that one person is in: pop/get shows them all, and others put people into groups. */
  limit_groups: count.default(2_000),
  /** Whether a person is asked before they are added to a group by somebody who is not their friend. */
  group_consent: onOff.default('off'),
  /** Whether a group's gid is enough to join it; off: only a member's invitation or a QR code's token is. */
  join_by_gid: onOff.default('on'),
  /** Other origins whose cookie is accepted, separated by commas. */
  origins: z.string().max(4096).default(''),
  /** Whether ws_address of pop/get carries a ticket, for clients without cookies; off: addresses end up in logs. */
  ws_ticket: onOff.default('off'),
  /** How much of a client's address events keep: nothing, its network, or all. */
  audit_address: z.enum(['off', 'short', 'full']).default('short'),
});

/** The bytes of a setting that counts megabytes. */
export function bytesOf(megabytes: number): number {
  return megabytes * 1024 * 1024;
}

/** All settings. */
export const Settings = z.object({ ...PublicSettings.shape, ...PrivateSettings.shape });
export type Settings = z.infer<typeof Settings>;

/** Any of the settings, without defaults. */
export const SettingChanges = z.object(
  Object.fromEntries(
    Object.entries(Settings.shape).map(([name, schema]) => [name, schema.unwrap().optional()]),
  ) as {
    [Name in keyof typeof Settings.shape]: z.ZodOptional<ReturnType<(typeof Settings.shape)[Name]['unwrap']>>;
  },
);
export type SettingChanges = z.infer<typeof SettingChanges>;

/** The settings of a new installation. */
export const defaultSettings: Settings = Settings.parse({});

/**
 * Settings with recorded changes. A name that this version does not know, or a value outside its limits, was set by
 * another version and changes nothing.
 */
export function withRecorded(settings: Settings, values: Readonly<Record<string, unknown>>): Settings {
  const fitting = Object.entries(Settings.shape).flatMap(([name, schema]) => {
    const { success, data } = schema.unwrap().safeParse(values[name]);
    return success ? [[name, data]] : [];
  });
  return Settings.parse({ ...settings, ...Object.fromEntries(fitting) });
}

/** The settings whose values are numbers. */
const numbers = new Set(
  Object.entries(defaultSettings).flatMap(([name, value]) => (typeof value === 'number' ? [name] : [])),
);

/** The settings of rows of `read.settings`, which hold numbers as digits; the defaults for what is not set. */
export function settingsOf(rows: Iterable<{ readonly name: string; readonly value: string }>): Settings {
  const values = Array.from(rows, ({ name, value }) => [name, numbers.has(name) ? Number(value) : value]);
  return withRecorded(defaultSettings, Object.fromEntries(values));
}

/** All settings by name, each with its default. */
export function withDefaults(
  settings: Settings,
): Record<string, { value: string | number; default: string | number }> {
  const defaults: Readonly<Record<string, string | number>> = defaultSettings;
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, { value, default: defaults[name] ?? '' }]),
  );
}
