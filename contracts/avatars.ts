/** The picture of who has none; we serve it. */
export const defaultAvatar = '/static/img/avatar.jpg';

/** How many faces a group's composed picture shows. */
export const mostFaces = 9;

/** A person's picture as answers and pushes show it. */
export function userAvatar(avatar: string): string {
  return avatar === '' ? defaultAvatar : avatar;
}

/** A group's picture as answers and pushes show it: its own, or one composed of its first members' faces. */
export function groupAvatar(avatar: string | null, faces: readonly number[]): string {
  return avatar || `/h5/group/avatar?uid=${faces.slice(0, mostFaces).join(',')}`;
}
