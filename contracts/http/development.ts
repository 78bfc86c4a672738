import { z } from 'zod';
import { contract } from './contract.ts';
import { phones } from './example-ids.ts';
import * as parameter from './parameters.ts';

/** Served only while the development provider is in use. */
export const developmentSms = contract({
  path: '/dev/sms',
  unprefixed: true,
  methods: ['GET'],
  access: 'server',
  summary: '查看开发环境短信',
  example: {
    parameters: { phone: phones.newcomer },
    data: [{ phone: phones.newcomer, type: 'register', code: '123456', timestamp: 1559031383 }],
  },
  parameters: z.object({ phone: parameter.phone.describe('省略为所有手机号的最后100条').optional() }),
  data: z.array(z.object({ phone: z.string(), type: z.string(), code: z.string(), timestamp: z.int() })),
});
