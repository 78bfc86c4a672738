import type { z } from 'zod';
import type { announcementList, announcementSeen } from '../../../contracts/http/announcement.ts';
import type {
  friendAgree,
  friendApply,
  friendApplyList,
  friendDelete,
  friendRefuse,
  friendRemark,
  friendUpdate,
} from '../../../contracts/http/friend.ts';
import type {
  groupCreate,
  groupDelete,
  groupDetail,
  groupMemberUpdate,
  groupRemark,
  groupTransfer,
  groupUpdate,
} from '../../../contracts/http/group.ts';
import type {
  groupCode,
  groupCodeRevoke,
  groupForbiddenAll,
  groupForbiddenUser,
  groupIsManager,
  groupJoin,
  groupLeave,
  groupManager,
  groupMemberAdd,
  groupMemberDelete,
  groupMembers,
} from '../../../contracts/http/group-members.ts';
import type {
  loginCaptcha,
  loginJoin,
  loginLogin,
  loginLogout,
  serviceForgetPass,
  serviceSendSms,
  userSendSmsPass,
} from '../../../contracts/http/login.ts';
import type {
  messageDelete,
  messageGet,
  messageRevoke,
  messageSend,
  messageSync,
  messageUnreadCount,
  messageUpdateLastReadTime,
} from '../../../contracts/http/message.ts';
import type { popDelChat, popGet, popGetSetting } from '../../../contracts/http/pop.ts';
import type { uploadAvatar, uploadFile, uploadImage } from '../../../contracts/http/upload.ts';
import type { userBindPhone, userGet, userUpdate, userUpdatePassword } from '../../../contracts/http/user.ts';
import { dataOf, queryOf } from './envelope.ts';

/** The calls that the pages make, by their paths: types alone, so that no schema gets into a page's script. */
export interface Calls {
  '/announcement/list': typeof announcementList;
  '/announcement/seen': typeof announcementSeen;
  '/friend/agree': typeof friendAgree;
  '/friend/apply': typeof friendApply;
  '/friend/applylist': typeof friendApplyList;
  '/friend/delete': typeof friendDelete;
  '/friend/refuse': typeof friendRefuse;
  '/friend/remark': typeof friendRemark;
  '/friend/update': typeof friendUpdate;
  '/group/create': typeof groupCreate;
  '/group/delete': typeof groupDelete;
  '/group/detail': typeof groupDetail;
  '/group/forbiddenall': typeof groupForbiddenAll;
  '/group/forbiddenuser': typeof groupForbiddenUser;
  '/group/ismanager': typeof groupIsManager;
  '/group/join': typeof groupJoin;
  '/group/leave': typeof groupLeave;
  '/group/manager': typeof groupManager;
  '/group/memberadd': typeof groupMemberAdd;
  '/group/memberdel': typeof groupMemberDelete;
  '/group/members': typeof groupMembers;
  '/group/memberupdate': typeof groupMemberUpdate;
  '/group/qrcode': typeof groupCode;
  '/group/qrcode_revoke': typeof groupCodeRevoke;
  '/group/remark': typeof groupRemark;
  '/group/transfer': typeof groupTransfer;
  '/group/update': typeof groupUpdate;
  '/login/captcha': typeof loginCaptcha;
  '/login/join': typeof loginJoin;
  '/login/login': typeof loginLogin;
  '/login/logout': typeof loginLogout;
  '/message/delete': typeof messageDelete;
  '/message/get': typeof messageGet;
  '/message/revoke': typeof messageRevoke;
  '/message/send': typeof messageSend;
  '/message/sync': typeof messageSync;
  '/message/unreadcount': typeof messageUnreadCount;
  '/message/updateLastReadTime': typeof messageUpdateLastReadTime;
  '/pop/delchat': typeof popDelChat;
  '/pop/get': typeof popGet;
  '/pop/getsetting': typeof popGetSetting;
  '/service/forget_pass': typeof serviceForgetPass;
  '/service/send_sms': typeof serviceSendSms;
  '/upload/avatar': typeof uploadAvatar;
  '/upload/file': typeof uploadFile;
  '/upload/img': typeof uploadImage;
  '/user/bindphone': typeof userBindPhone;
  '/user/get': typeof userGet;
  '/user/send_sms_pass': typeof userSendSmsPass;
  '/user/update': typeof userUpdate;
  '/user/updatepassword': typeof userUpdatePassword;
}

export type Parameters<Path extends keyof Calls> = z.input<Calls[Path]['parameters']>;
export type Data<Path extends keyof Calls> = z.output<Calls[Path]['data']>;

/** The calls that are GET, with their parameters in the query. */
const queries: ReadonlySet<keyof Calls> = new Set([
  '/announcement/list',
  '/friend/applylist',
  '/group/detail',
  '/group/members',
  '/group/qrcode',
  '/login/captcha',
  '/message/get',
  '/message/sync',
  '/message/unreadcount',
  '/pop/get',
  '/pop/getsetting',
  '/user/get',
]);

/** The calls that carry a file, as a form. */
export type UploadPath = '/upload/avatar' | '/upload/file' | '/upload/img';

/** Who calls: nobody, or somebody with a token. */
export interface Api {
  /** @throws CallRefused; TypeError if the server cannot be reached */
  call<Path extends Exclude<keyof Calls, UploadPath>>(
    path: Path,
    parameters: Parameters<Path>,
  ): Promise<Data<Path>>;
  /** @throws as `call` does */
  upload<Path extends UploadPath>(path: Path, file: File): Promise<Data<Path>>;
}

/** Calls the API of the page's own server. @param token of the person who calls; undefined if nobody is signed in */
export function createApi(token: () => string | undefined): Api {
  async function ask(path: string, request: RequestInit) {
    const own = token();
    const headers = new Headers(request.headers);
    if (own !== undefined) headers.set('authorization', `Bearer ${own}`);
    // Without the login cookie: it is one for all tabs, and each tab may be another person.
    return dataOf(await fetch(`/api${path}`, { ...request, headers, credentials: 'omit' }));
  }
  return {
    call: (path, parameters) =>
      queries.has(path)
        ? ask(`${path}?${queryOf(parameters)}`, {})
        : ask(path, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(parameters),
          }),
    upload(path, file) {
      const body = new FormData();
      body.set('file', file);
      return ask(path, { method: 'POST', body });
    },
  };
}
