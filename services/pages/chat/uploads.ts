import { api } from './session.ts';

/** Uploads a file. @returns the content of the message that shows it @throws CallRefused; TypeError */
export async function contentOfUpload(kind: 'picture' | 'file' | 'voice', file: File): Promise<string> {
  const { src, name, size } = await api.upload(kind === 'picture' ? '/upload/img' : '/upload/file', file);
  if (kind === 'picture') return `![](${src})`;
  if (kind === 'voice') return `voice(${src})`;
  return `file[${name.replace(/[[\]\t]/g, '_')}\t${size}](${src})`;
}
