import { api } from './session.ts';

/** How a message shows an upload. */
export type UploadKind = 'picture' | 'file' | 'voice';

/** Brackets and line breaks would end a file's name within a message. */
const unfit = /[[\]\p{Cc}]/gu;

/** Uploads a file. @returns the content of the message that shows it @throws CallRefused; TypeError */
export async function contentOfUpload(kind: UploadKind, file: File): Promise<string> {
  const { src, name, size } = await api.upload(kind === 'picture' ? '/upload/img' : '/upload/file', file);
  if (kind === 'picture') return `![](${src})`;
  if (kind === 'voice') return `voice(${src})`;
  return `file[${name.replace(unfit, '_')}\t${size}](${src})`;
}
