import type { Position } from '../../services/log/log.ts';
import { type Ground, type MeasureRow, type Row, timedRow } from './audit-ground.ts';

/** How long questions about the past take, with the start of their process. */
export const pastRows: readonly MeasureRow[] = [
  explaining,
  foldingGroup,
  homePageThen,
  homePageLately,
  homePageNow,
];

/** Whether the newest member of the largest group may speak there. */
async function explaining(ground: Ground): Promise<Row> {
  const gid = await largestGroup(ground);
  const uid = await one(ground, 'select uid from read.group_members where gid = $1 order by index desc', [
    gid,
  ]);
  return timedRow(ground, 'explain', ['can-speak', uid, 'group', gid], 2_000);
}

async function foldingGroup(ground: Ground): Promise<Row> {
  return timedRow(
    ground,
    'as-of',
    ['--at', await atMiddle(ground), 'group', await largestGroup(ground)],
    2_000,
  );
}

/** The home page of the person with the most groups: nobody's takes longer. */
async function homePageThen(ground: Ground): Promise<Row> {
  return homePage(ground, await atMiddle(ground));
}

/** So late that nearly all was said, but not what the present read models show. */
async function homePageLately(ground: Ground): Promise<Row> {
  return homePage(ground, await positionOf(ground, 'max(number) - 1000'));
}

async function homePageNow(ground: Ground): Promise<Row> {
  return homePage(ground, await ground.log.end());
}

async function homePage(ground: Ground, at: string): Promise<Row> {
  const uid = await one(
    ground,
    'select uid from read.group_members group by uid order by count(*) desc, uid',
    [],
  );
  return timedRow(ground, 'as-of', ['--at', at, 'pop/get', '--login_uid', uid], 2_000);
}

/** The group with the most members. */
function largestGroup(ground: Ground): Promise<string> {
  return one(
    ground,
    `select gid from read.groups where state = 'normal' order by member_count desc, gid`,
    [],
  );
}

/** The position of the event in the middle of the log. */
function atMiddle(ground: Ground): Promise<Position> {
  return positionOf(ground, 'max(number) / 2');
}

/** The position of the event whose number in the index is this. */
async function positionOf({ pool }: Ground, number: string): Promise<Position> {
  const { rows } = await pool.query<{ position: Position }>(
    `select position from audit.events where number = (select ${number} from audit.events)`,
  );
  return rows[0]?.position ?? ('' as Position);
}

/** The only column of the first row. */
async function one({ pool }: Ground, query: string, values: readonly string[]): Promise<string> {
  const { rows } = await pool.query({ text: `${query} limit 1`, values: [...values], rowMode: 'array' });
  return String(rows[0]?.[0]);
}
