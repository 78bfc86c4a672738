import { z } from 'zod';
import { contract } from './contract.ts';
import * as example from './examples.ts';
import * as parameter from './parameters.ts';

/** A file that came with a request, in a temporary place on the disk. */
export class ReceivedFile {
  /** The path of the temporary file. */
  readonly place: string;
  /** The name that its sender gave it. */
  readonly name: string;
  readonly bytes: number;

  constructor(place: string, name: string, bytes: number) {
    this.place = place;
    this.name = name;
    this.bytes = bytes;
  }
}

const file = z
  .instanceof(ReceivedFile)
  .meta({ shown: { type: 'string', format: 'binary' }, description: '文件数据' });
const caller = { login_uid: parameter.loginUid };

const Uploaded = z.object({ src: z.string(), name: z.string(), size: z.string() }).meta({ id: 'Upload' });

export const uploadAvatar = contract({
  path: '/upload/avatar',
  methods: ['POST'],
  access: 'user',
  upload: 'image',
  summary: '上传头像',
  refuses: ['tooLarge', 'quotaUsed', 'tooMany', 'noSpace'],
  example: { parameters: {}, data: example.uploaded('avatars/7/30608bd8e4d09d265cea5d13d5b0a1f2.png') },
  parameters: z.object({ ...caller, file }),
  data: Uploaded,
});

export const uploadImage = contract({
  path: '/upload/img',
  methods: ['POST'],
  access: 'known',
  upload: 'image',
  summary: '上传图片',
  refuses: ['uploadImageOff', 'tooLarge', 'quotaUsed', 'tooMany', 'noSpace'],
  example: { parameters: {}, data: example.uploaded('images/202104/30608bd9666e76265cea5d13d5b0a1f2.png') },
  parameters: z.object({ ...caller, file }),
  data: Uploaded,
});

export const uploadFile = contract({
  path: '/upload/file',
  methods: ['POST'],
  access: 'known',
  upload: 'file',
  summary: '上传文件',
  refuses: ['uploadFileOff', 'tooLarge', 'quotaUsed', 'tooMany', 'noSpace'],
  example: { parameters: {}, data: example.uploaded('files/202104/30608bd9f444b2265cea5d13d5b0a1f2.png') },
  parameters: z.object({ ...caller, file }),
  data: Uploaded,
});
