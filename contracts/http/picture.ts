import { z } from 'zod';
import { maxFaces } from '../avatars.ts';
import { contract } from './contract.ts';
import { gids, uids } from './example-ids.ts';
import * as parameter from './parameters.ts';

const faces = z
  .preprocess(
    (value) => (typeof value === 'string' ? value.split(',', parameter.maxListed + 1) : value),
    parameter.boundedList.pipe(z.array(parameter.uid).min(1)),
  )
  .transform((uids) => [...new Set(uids)].slice(0, maxFaces))
  .meta({
    shown: { type: 'string', pattern: '^\\d+(,\\d+)*$' },
    description: `成员uid,逗号分隔,重复的只取一次,取前${maxFaces}个`,
  });

export const qrcodeGet = contract({
  path: '/qrcode/get',
  methods: ['GET'],
  access: 'open',
  summary: '根据内容生成二维码',
  example: { parameters: { content: `https://pop.com/g/${gids.cheese}` } },
  parameters: z.object({ content: parameter.bytes(1024).describe('二维码内容') }),
  picture: 'image/png',
  data: z.instanceof(Uint8Array),
});

export const groupAvatar = contract({
  path: '/group/avatar',
  methods: ['GET'],
  access: 'open',
  summary: '群组头像',
  example: { parameters: { uid: `${uids.tom},${uids.jerry},${uids.lin}` } },
  parameters: z.object({ uid: faces }),
  picture: 'image/jpeg',
  data: z.instanceof(Uint8Array),
});
