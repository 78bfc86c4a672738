import type { AccessEvent } from '../../contracts/events/access.ts';

/** Longer arguments are cut at this many characters, and further ones left out: a record names a question. */
const maxArgumentLength = 200;
const maxArguments = 50;

/** Longer ones are cut at this many characters before secrets are looked for, which takes time. */
const maxSearchedLength = 1_000;

/** A password in a URL, and the value of a parameter whose name says that it is secret. */
const inUrl = /(:\/\/[^\s:/?#]*):[^\s/]*(?=@)/g;
const named = /((?:pass|token|secret|captcha)[\w-]*|\b(?:code|(?:app_?)?key))(=|\s+)(?!--)[^\s&]+/gi;

/** Stands for a secret that was left out. */
const hidden = '***';

/** The event that records a question about the past: who asked it is in its metadata. */
export function auditUse(command: string, words: readonly string[]): AccessEvent {
  const shown = withoutSecrets(words.slice(0, maxArguments))
    .slice(0, maxArguments)
    .map((word) => word.slice(0, maxArgumentLength).toWellFormed());
  return { type: 'AuditUsed', data: { command, arguments: shown } };
}

/** Arguments of a command or parameters of a call, in which each secret is hidden, whatever way it is written. */
function withoutSecrets(words: readonly string[]): string[] {
  if (words.length === 0) return [];
  // A name and its value may be two words.
  const text = words.map((word) => searched(word).replaceAll('\n', ' ')).join('\n');
  return text.replaceAll(inUrl, `$1:${hidden}`).replaceAll(named, `$1$2${hidden}`).split('\n');
}

/** What is kept of a long word; of a URL in it nothing, since what ends its password may be cut off. */
function searched(word: string): string {
  if (word.length <= maxSearchedLength) return word;
  return word.slice(0, maxSearchedLength).replace(/:\/\/.*$/s, `://${hidden}`);
}
