/** How a message stands: as sent, taken back by its sender or a manager, or gone for everyone. */
export type MessageState = 'normal' | 'revoked' | 'deleted';

/** What stands in place of a revoked message. */
export const revokedText = '此消息已撤回';

/** A quoted message's content as it now stands (docs/behaviour.md, Messages). */
export function quotedContent(state: MessageState, content: string): string {
  if (state === 'normal') return content;
  return state === 'revoked' ? revokedText : '';
}
