/*
 * The ids in the examples of the calls. `npm run demo` makes people, groups and messages that have them in an empty
 * installation, so that the examples can be tried there (test/start/examples.test.ts).
 */

/** The people of the demonstration, in the order in which they register: uids are given in a row. */
export const uids = { tom: 1, jerry: 2, lin: 3, chen: 4, zhao: 5, wang: 6, anna: 7, sun: 8 } as const;

/** Groups: Tom owns the first, manages the second, is a member of the third, and is not in the last. */
export const gids = { cheese: 502139874, project: 502139875, hike: 502139876, newcomers: 502139877 } as const;

/** The first message of all, from Tom to Jerry. */
export const mid = 1;

/** Two applications to Tom that nobody has answered. */
export const applications = { fromSun: 1, fromWang: 2 } as const;

/** A question that Tom, who is a member (会员), has answered beforehand. */
export const replyId = 1;

/** The only announcement. */
export const announcementId = 1;

/** Jerry has one; with the first somebody may register, and Tom may bind the second. */
export const phones = { newcomer: '13800000000', tom: '13800000001', jerry: '13800000002' } as const;
