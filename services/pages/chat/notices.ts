import { revocationShownBy } from '../../../contracts/message-texts.ts';
import { language } from '../shared/language.ts';
import { noticeInEnglish } from './notices-in-english.ts';
import { t } from './texts.ts';

/** That a message was revoked, in the language of the page, if the content is what the server shows in its place. */
export function revocationOf(content: string): string | undefined {
  const revocation = revocationShownBy(content);
  return revocation && t(revocation);
}

/** What a notice says, in the language of the page: the server's words are Chinese. */
export function noticeOf(content: string): string {
  return revocationOf(content) ?? (language.value === 'en' ? noticeInEnglish(content) : undefined) ?? content;
}
