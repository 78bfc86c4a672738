import { onUnmounted, ref } from 'vue';
import { connected, join, leave } from './realtime.ts';
import type { Chat } from './route.ts';
import { session } from './session.ts';

/** A person who types says so this often; who said nothing for the second time has stopped. */
const sayEveryMs = 3_000;
const forgetAfterMs = 5_000;

interface Member {
  readonly id: string;
  readonly info: { readonly nickname?: string } | null;
}

/** Who types in a chat, and how many people of a group look at it: by the chat's presence channel, which keeps nothing. */
export function useTyping(chat: Chat) {
  const me = session.value?.uid ?? 0;
  const pair = [me, chat.id].sort((one, other) => one - other).join('-');
  const name = chat.type === 'group' ? `presence-group-${chat.id}` : `presence-chat-${pair}`;
  const typing = ref('');
  const present = ref(0);
  let forget: ReturnType<typeof setTimeout> | undefined;
  let saidAt = 0;

  const channel = join(name);
  const count = () => {
    present.value = Reflect.get(channel ?? {}, 'members')?.count ?? 0;
  };
  for (const event of ['pusher:subscription_succeeded', 'pusher:member_added', 'pusher:member_removed'])
    channel?.bind(event, count);
  channel?.bind('client-typing', (_: unknown, { user_id }: { user_id?: string } = {}) => {
    const member: Member | null = Reflect.get(channel, 'members').get(user_id);
    typing.value = member?.info?.nickname ?? '?';
    clearTimeout(forget);
    forget = setTimeout(() => {
      typing.value = '';
    }, forgetAfterMs);
  });
  onUnmounted(() => {
    clearTimeout(forget);
    leave(name);
  });

  return {
    typing,
    present,
    /** The person writes; the others see it if they have the chat open. */
    say() {
      const now = performance.now();
      if (!connected.value || !channel?.subscribed || (saidAt > 0 && now - saidAt < sayEveryMs)) return;
      saidAt = now;
      channel.trigger('client-typing', {});
    },
    /** A message came: its writer does not type any more. */
    stopped() {
      typing.value = '';
      clearTimeout(forget);
    },
  };
}
