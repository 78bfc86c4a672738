import { z } from 'zod';
import { Settings } from '../settings.ts';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

/** A setting as a request carries it: numbers as digits too, texts that can be stored. */
function carried(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodNumber) return parameter.integer().pipe(schema);
  if (schema instanceof z.ZodString) return parameter.storable.pipe(schema);
  return schema;
}

export const settingUpdate = contract({
  path: '/setting/update',
  methods: ['POST'],
  access: 'server',
  summary: '修改系统配置',
  parameters: z.object(
    Object.fromEntries(
      Object.entries(Settings.shape).map(([name, schema]) => [name, carried(schema.unwrap()).optional()]),
    ),
  ),
  data: nothing,
});
