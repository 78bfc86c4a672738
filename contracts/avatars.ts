/** The picture of people who have none; served by us. */
export const defaultAvatar = '/static/img/avatar.jpg';

/** Of a group's composed picture. */
export const maxFaces = 9;

/** A person's picture as answers and pushes show it. */
export function userAvatar(avatar: string): string {
  return avatar === '' ? defaultAvatar : avatar;
}

/** A group's picture as answers and pushes show it: its own, or one composed of its first members' faces. */
export function groupAvatar(avatar: string | null, faces: readonly number[]): string {
  return avatar || `/h5/group/avatar?uid=${faces.slice(0, maxFaces).join(',')}`;
}
