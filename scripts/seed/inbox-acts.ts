import type { InboxEvent } from '../../contracts/events/inbox.ts';
import type { Uid } from '../../contracts/ids.ts';
import { streamName } from '../../services/domain/aggregate.ts';
import type { ChatState } from './chats.ts';
import type { Story } from './story.ts';

/** How many people read a group after others have talked there, at most. */
const maxReaders = 4;

/** Some of a chat's people read it up to its end. */
export function readSome(story: Story, chat: ChatState): void {
  const last = chat.recent.at(-1);
  if (!last) return;
  const readers = story.random.integer(0, Math.min(chat.people.length, maxReaders));
  for (let read = 0; read < readers && story.decided.left > 0; read++) {
    const uid = story.random.pickAny(chat.people);
    if (uid === undefined || (chat.readTo.get(uid) ?? 0) >= last.sequence) continue;
    const { mid, sequence } = last;
    note(
      story,
      uid,
      { type: 'ReadTo', data: { uid, conversation: chat.conversation, mid, sequence } },
      'soon',
    );
  }
}

/** Someone pins, hides or marks a chat of theirs. */
export function changeInbox(story: Story): void {
  const chat = story.anyChat();
  const uid = chat && story.random.pickAny(chat.people);
  if (!chat || uid === undefined || chat.sequence === 0) return;
  const data = { uid, conversation: chat.conversation };
  switch (story.random.weighted({ pin: 3, hide: 2, show: 1, unread: 2 })) {
    case 'pin':
      note(story, uid, { type: chat.pinnedBy.has(uid) ? 'ChatUnpinned' : 'ChatPinned', data });
      return;
    case 'hide':
      if (!chat.hiddenBy.has(uid)) note(story, uid, { type: 'ChatHidden', data });
      return;
    case 'show':
      if (chat.hiddenBy.has(uid)) note(story, uid, { type: 'ChatShown', data });
      return;
    case 'unread':
      note(story, uid, { type: 'UnreadMarked', data: { ...data, count: story.random.integer(1, 9) } });
  }
}

function note(story: Story, uid: Uid, event: InboxEvent, when?: 'soon'): void {
  const context = when === undefined ? story.request(uid) : story.nextRequest(uid);
  story.append(streamName(`inbox-${uid}`), [event], context);
}
