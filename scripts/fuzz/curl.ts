import { gzipSync } from 'node:zlib';
import type { Request } from './request.ts';

/** Replaces what must not be shown: each secret by the name of a shell's variable. */
export type Redact = (text: string) => string;

/** A body longer than this is shown compressed. */
const maxPrintedBytes = 1_500;

/** The command that sends the same request again. */
export function curlLine(port: number, { method, target, headers, body }: Request, redact: Redact): string {
  const parts = [`curl -i -X ${method} --path-as-is ${quoted(redact(`http://127.0.0.1:${port}${target}`))}`];
  for (const [name, value] of Object.entries(headers))
    parts.push(`-H ${quoted(`${name}: ${redact(value)}`)}`);
  if (body !== undefined) parts.push(`--data-binary ${bodyPart(body, redact)}`);
  return parts.join(' ');
}

/** Bytes that are no HTTP request, as a command that sends them. */
export function bytesLine(port: number, bytes: Buffer, redact: Redact): string {
  return `${piped(bytes, redact)} | nc -q 1 127.0.0.1 ${port}`;
}

function bodyPart(body: Buffer, redact: Redact): string {
  const text = body.toString();
  if (body.length <= maxPrintedBytes && /^[ -~]*$/.test(text)) return quoted(redact(text));
  return `@<(${piped(body, redact)})`;
}

function piped(bytes: Buffer, redact: Redact): string {
  // One character a byte, so that all bytes survive.
  const shown = Buffer.from(redact(bytes.toString('latin1')), 'latin1');
  return `base64 -d <<< ${gzipSync(shown).toString('base64')} | gunzip`;
}

function quoted(text: string): string {
  // Variables must be put in by the shell.
  return `"${text.replace(/[\\"`]/g, '\\$&').replace(/\$(?!(?:APP_KEY|APP_SECRET|PASSWORD|TOKEN_OF_[A-J]+)\b)/g, '\\$')}"`;
}
