import { z } from 'zod';
import { type SettingMeaning, settingMeanings } from '../setting-meanings.ts';
import { defaultSettings, Settings, withDefaults } from '../settings.ts';
import { contract } from './contract.ts';
import * as parameter from './parameters.ts';
import { nothing } from './user.ts';

const meanings: Readonly<Record<string, SettingMeaning>> = settingMeanings;

/** What a setting means, as the page of the API says it. */
const meaningOf = (name: string) => meanings[name]?.chinese ?? name;

/** Of one setting as JSON: a change is one event, whose size the log limits. */
const maxChangeBytes = 900_000;

/** A setting as a parameter: numbers may be digits, texts must be storable. */
function carried(schema: z.ZodType): z.ZodType {
  const { $schema: _, ...shown } = z.toJSONSchema(schema);
  if (schema instanceof z.ZodNumber) return parameter.integer().pipe(schema).meta({ shown });
  if (schema instanceof z.ZodString) {
    return parameter.storable
      .refine(
        (value) => Buffer.byteLength(JSON.stringify(value)) <= maxChangeBytes,
        'is too long for one event',
      )
      .pipe(schema)
      .meta({ shown });
  }
  return schema;
}

export const settingUpdate = contract({
  path: '/setting/update',
  methods: ['POST'],
  access: 'server',
  // A text of 900 KB takes three characters per byte in a form.
  maxBytes: 3 * 1024 * 1024,
  summary: '修改系统配置',
  example: { parameters: { revoke_seconds: 300 }, data: [] },
  parameters: z.object(
    Object.fromEntries(
      Object.entries(Settings.shape).map(([name, schema]) => [
        name,
        carried(schema.unwrap()).describe(meaningOf(name)).optional(),
      ]),
    ),
  ),
  data: nothing,
});

export const settingGet = contract({
  path: '/setting/get',
  methods: ['GET'],
  access: 'server',
  summary: '获取全部系统配置及其默认值',
  example: { parameters: {}, data: withDefaults({ ...defaultSettings, revoke_seconds: 300 }) },
  parameters: z.object({}),
  data: z.object(
    Object.fromEntries(
      Object.entries(Settings.shape).map(([name, schema]) => {
        const setting = schema.unwrap();
        return [name, z.object({ value: setting, default: setting }).describe(meaningOf(name))];
      }),
    ),
  ),
});
