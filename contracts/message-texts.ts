/** Of a message: as sent, revoked by its sender or a manager, or deleted for everyone. */
export type MessageState = 'normal' | 'revoked' | 'deleted';

/** What a revoked message shows in place of its text. */
export const revokedText = '此消息已撤回';

/** The current content of a quoted message (docs/behaviour.md, Messages). */
export function quotedContent(state: MessageState, content: string): string {
  if (state === 'normal') return content;
  return state === 'revoked' ? revokedText : '';
}
