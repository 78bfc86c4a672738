import type { Reply, ReplyEvent } from '../contracts/events/reply.ts';
import type { Uid } from '../contracts/ids.ts';
import type { ProjectionsOf } from './projection.ts';
import type { Rows } from './store/row-store.ts';
import { replies, repliesOf } from './tables.ts';

const reads = ({ data }: { data: { uid: Uid } }) => [repliesOf(data.uid)];

/** Puts a reply. If it is the default of its type, the others of that type no longer are. */
function put(rows: Rows, { isDefault, ...reply }: Reply): void {
  for (const other of rows.list(repliesOf(reply.uid))) {
    if (!isDefault || !other.is_default || other.type !== reply.type) continue;
    rows.put(replies, { ...other, is_default: false });
  }
  rows.put(replies, { ...reply, is_default: isDefault });
}

/** Members' customer-service replies. */
export const replyProjections: ProjectionsOf<ReplyEvent> = {
  ReplyAdded: {
    reads,
    apply({ data }, rows) {
      put(rows, data);
    },
  },
  ReplyUpdated: {
    reads,
    apply({ data }, rows) {
      put(rows, data);
    },
  },
  ReplyDeleted: {
    reads: () => [],
    apply({ data }, rows) {
      rows.delete(replies.at(data.uid, data.rid));
    },
  },
};
