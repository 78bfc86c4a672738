/** Of a message: as sent, revoked by its sender or a manager, withdrawn by the server's key, or deleted for everyone. */
export type MessageState = 'normal' | 'revoked' | 'withdrawn' | 'deleted';

/** What became of a message that is no longer shown as it was sent. */
export type TakenBack = Exclude<MessageState, 'normal'>;

/** What a message shows in place of its text, by how it was revoked. */
export const revokedTexts: Readonly<Record<'revoked' | 'withdrawn', string>> = {
  revoked: '此消息已撤回',
  withdrawn: '此消息已被系统管理员撤回',
};

/** Whether a notice is in the place of a message. */
export function isRevoked(state: string): state is keyof typeof revokedTexts {
  return Object.hasOwn(revokedTexts, state);
}

/** The current content of a quoted message (docs/behaviour.md, Messages). */
export function quotedContent(state: MessageState, content: string): string {
  if (state === 'normal') return content;
  return isRevoked(state) ? revokedTexts[state] : '';
}

/** How the message was revoked in whose place a content is; undefined for any other content. */
export function revocationShownBy(content: string): keyof typeof revokedTexts | undefined {
  return (['revoked', 'withdrawn'] as const).find((kind) => revokedTexts[kind] === content);
}
