import type { GroupEvent } from '../contracts/events/group.ts';
import { userChannel } from '../contracts/push/index.ts';
import { type ProjectionsOf, timestampOf } from './projection.ts';
import { applications, applicationsUnder } from './tables.ts';

/** Invitations to groups: they are listed among the applications that a person received. */
export const invitationProjections: Pick<
  ProjectionsOf<GroupEvent>,
  'MembersInvited' | 'InvitationAnswered'
> = {
  MembersInvited: {
    reads: () => [],
    apply(event, rows, pushes) {
      const { gid, by, invitations } = event.data;
      for (const { uid, applicationId } of invitations) {
        rows.put(applications, {
          application_id: applicationId,
          applicant: by,
          recipient: uid,
          postscript: '',
          operation: 'not_operated',
          timestamp: timestampOf(event),
          gid,
        });
        pushes.add(userChannel(uid), 'friendApply', { uid: by, gid });
      }
    },
  },
  InvitationAnswered: {
    reads: ({ data: { uid, applicationId } }) => [applicationsUnder(uid, applicationId)],
    apply({ data: { gid, uid, applicationId, answer } }, rows) {
      for (const application of rows.list(applicationsUnder(uid, applicationId))) {
        if (application.gid === gid) rows.put(applications, { ...application, operation: answer });
      }
    },
  },
};
