import { home } from './home.ts';
import { t } from './texts.ts';

/** A part of a message's content, in the forms of the API. What cannot be read as one of them is text. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'mention'; readonly name: string; readonly uid: number }
  | { readonly kind: 'link'; readonly text: string; readonly address: string }
  | { readonly kind: 'picture' | 'voice'; readonly address: string }
  | { readonly kind: 'file'; readonly name: string; readonly size: string; readonly address: string };

/** An address in parentheses: no blank; parentheses in pairs. */
const target = String.raw`\(([^\s()]{1,2000}(?:\([^\s()]*\)[^\s()]*)*)\)`;

/** Each alternative begins with a literal and stops at a bracket, so that searching takes linear time. */
const markup = new RegExp(
  [
    String.raw`\[表情(?<face>\d{1,3})\]`,
    String.raw`!\[[^\[\]]*\]${target}`,
    String.raw`\bfile\[(?<file>[^\[\]]*)\]${target}`,
    String.raw`\bvoice${target}`,
    String.raw`@\[(?<name>[^\[\]\n]*)\]\((?<uid>\d{1,16})\)`,
    String.raw`\[(?<label>[^\[\]\n]+)\]${target}`,
    String.raw`(?<bare>https?:\/\/[^\s<>"'()\[\]\u3000-\u303f\uff00-\uffef]+)`,
  ].join('|'),
  'g',
);

/** The faces 0 to 100 of `[表情X]`: the API numbers them and shows no picture of them. */
const faces = Array.from(
  '😀😃😄😁😆😅😂🤣😊😇🙂🙃😉😌😍😘😗😙😚😋😛😝😜🤪🤨🧐🤓😎🤩🥳😏😒😞😔😟😕🙁😣😖😫😩🥺😢😭😤😠😡🤬🤯😳🥵🥶😱😨😰😥😓🤗🤔🤭🤫🤥😶😐😑😬🙄😯😦😧😮😲🥱😴🤤😪😵🤐🥴🤢🤮🤧😷🤒🤕🤑🤠😈👿👹👺🤡💩👻💀👽👾🤖🎃😺👍👎',
);

/** The emoji that the page offers. They are sent as Unicode, which every client shows. */
export const offeredEmoji = Array.from(
  '😀😄😁😂🤣😊😇🙂😉😍😘😋😜🤓😎🥳😏😒😔🥺😢😭😤😡😱🤗🤔🤫😴🤒👍👎👏🙏💪🤝👋👌🎉🌹💔🔥🍻🎂',
);

/** An absolute address that a link may lead to; undefined for schemes that could run a script. */
function safeAddress(address: string): string | undefined {
  if (!URL.canParse(address, location.href)) return undefined;
  const { protocol, href } = new URL(address, location.href);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}

/** Where uploads and the pictures of people and groups are. What else a server has must not be asked for by a message. */
const picturePaths = /^\/(?:upload\/|static\/img\/|(?:h5|web|api)\/group\/avatar$)/;

/**
 * The address of an upload or picture on the page's own server, if that is what it is; the policy of the page allows
 * pictures and sound of no other host. Uploads name the host of the setting `ws_address`, whose files this server has
 * as well.
 */
export function ownAddress(address: string): string | undefined {
  if (!URL.canParse(address, location.href)) return undefined;
  const { host, pathname, search } = new URL(address, location.href);
  const socketHost = home.settings === undefined ? '' : new URL(home.settings.ws_address).host;
  const own = (host === location.host || host === socketHost) && picturePaths.test(pathname);
  return own ? `${pathname}${search}` : undefined;
}

/** Characters that change the direction of a text: with one of them, `gpj.exe` is shown as `exe.jpg`. */
const directing = /\p{Bidi_Control}/gu;

/** Splits a content into its parts. */
export function partsOf(content: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  const text = (written: string) => {
    const last = parts.at(-1);
    if (last?.kind === 'text') parts[parts.length - 1] = { kind: 'text', text: last.text + written };
    else if (written !== '') parts.push({ kind: 'text', text: written });
  };
  for (const match of content.matchAll(markup)) {
    const part = partOf(
      match[0],
      match.slice(1).flatMap((group) => group ?? []),
      match.groups ?? {},
    );
    text(content.slice(end, match.index));
    end = match.index + match[0].length;
    if (part.kind === 'text') text(part.text);
    else parts.push(part);
  }
  text(content.slice(end));
  return parts;
}

function partOf(whole: string, groups: readonly string[], named: Partial<Record<string, string>>): Part {
  const asText: Part = { kind: 'text', text: whole };
  const { face, file, name, uid, label, bare } = named;
  if (face !== undefined) return { kind: 'text', text: faces[Number(face)] ?? whole };
  if (uid !== undefined) return { kind: 'mention', name: name ?? '', uid: Number(uid) };
  const written = groups.at(-1) ?? '';
  const address = safeAddress(written);
  if (address === undefined) return asText;
  if (bare !== undefined || label !== undefined) return { kind: 'link', text: label ?? whole, address };
  const own = ownAddress(written);
  if (file !== undefined) {
    // A tab is in front of the size, as the API says; other clients write a bar, which a name may contain.
    const [, title = file, size = ''] = /^(.*)[\t|]([^\t|]*)$/s.exec(file) ?? [];
    return { kind: 'file', name: title.replace(directing, ''), size, address: own ?? address };
  }
  if (own === undefined) return { kind: 'link', text: written, address };
  return { kind: whole.startsWith('!') ? 'picture' : 'voice', address: own };
}

/** A content in one line, for the list of chats, notifications and quotes. */
export function plainText(content: string): string {
  return partsOf(content)
    .map((part) => {
      if (part.kind === 'text' || part.kind === 'link') return part.text;
      if (part.kind === 'mention') return `@${part.name}`;
      if (part.kind === 'file') return `[${t('file')}] ${part.name}`;
      return `[${t(part.kind)}]`;
    })
    .join('');
}
