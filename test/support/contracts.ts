import * as administration from '../../contracts/http/administration.ts';
import * as aliases from '../../contracts/http/aliases.ts';
import * as announcement from '../../contracts/http/announcement.ts';
import * as asOf from '../../contracts/http/as-of.ts';
import * as auditEvents from '../../contracts/http/audit-events.ts';
import * as auditStream from '../../contracts/http/audit-stream.ts';
import * as auditUploads from '../../contracts/http/audit-uploads.ts';
import type { Contract } from '../../contracts/http/contract.ts';
import * as development from '../../contracts/http/development.ts';
import * as explain from '../../contracts/http/explain.ts';
import * as friend from '../../contracts/http/friend.ts';
import * as group from '../../contracts/http/group.ts';
import * as groupMembers from '../../contracts/http/group-members.ts';
import * as login from '../../contracts/http/login.ts';
import * as message from '../../contracts/http/message.ts';
import * as picture from '../../contracts/http/picture.ts';
import * as pop from '../../contracts/http/pop.ts';
import * as reply from '../../contracts/http/reply.ts';
import * as setting from '../../contracts/http/setting.ts';
import * as system from '../../contracts/http/system.ts';
import * as upload from '../../contracts/http/upload.ts';
import * as user from '../../contracts/http/user.ts';

const files: readonly Readonly<Record<string, unknown>>[] = [
  ...[
    administration,
    aliases,
    announcement,
    login,
    user,
    friend,
    group,
    groupMembers,
    message,
    pop,
    reply,
    setting,
    upload,
    picture,
    auditEvents,
    explain,
    asOf,
    auditStream,
    auditUploads,
    system,
    development,
  ],
];

/** Every contract that there is. */
export function servedContracts(): Contract[] {
  return files.flatMap((exported) => Object.values(exported).filter(isContract));
}

function isContract(value: unknown): value is Contract {
  return typeof value === 'object' && value !== null && 'path' in value && 'parameters' in value;
}
