import { describe, expect, test } from 'vitest';
import { readMultipartForm } from '../../services/api/bodies/multipart-form.ts';
import { maxParts } from '../../services/api/form.ts';

const type = 'multipart/form-data; boundary=x';
const part = (name: string, value = '', more = '') =>
  `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const read = (text: string, asType = type) => readMultipartForm(asType, Buffer.from(text));

describe('a multipart form', () => {
  test.each([
    [`${part('a', '1')}${part('b', '猫')}--x--`, { a: '1', b: '猫' }],
    [`${part('a[]', '1')}${part('a[]', '2')}--x--\r\n`, { a: ['1', '2'] }],
    [`before\r\n${part('a', '1\r\n\r\n2')}--x--\r\nbehind`, { a: '1\r\n\r\n2' }],
    [part('猫', '1', '\r\nContent-Type: application/json').concat('--x--'), { 猫: '1' }],
    ['--x\r\nCONTENT-disposition: form-data;name=a\r\n\r\n1\r\n--x--', { a: '1' }],
    ['--x\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n1\r\n--x--', { 'a"b': '1' }],
    ['--x \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--', { a: '1' }],
    ['--x\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--x--', {}],
    ['--x\r\nX-Nothing: form-data\r\n\r\n1\r\n--x--', {}],
    ['--x--', {}],
    ['', {}],
  ])('%j gives %j', (text, given) => {
    expect(read(text)).toEqual(given);
  });

  test('has its boundary in quotes or without', () => {
    const text = `${part('a', '1').replace('--x', '--x y')}--x y--`;
    expect(read(text, 'multipart/form-data; charset=utf-8; boundary="x y"')).toEqual({ a: '1' });
    expect(() => read(part('a'), 'multipart/form-data')).toThrow('请求内容无法解析');
  });

  test('that does not end is unreadable', () => {
    for (const text of [part('a', '1'), `${part('a', '1')}--x`, 'what is this']) {
      expect(() => read(text), text).toThrow('请求内容无法解析');
    }
  });

  test('holds half a character in place of a text that is no UTF-8', () => {
    const body = Buffer.from(`${part('a', 'caf\xe9')}${part('b', '1')}--x--`, 'latin1');
    expect(readMultipartForm(type, body)).toEqual({ a: '\udfff', b: '1' });
  });

  test.each(['; filename="a.txt"', '; filename=', '\r\nContent-Type: application/octet-stream'])(
    'may hold no file: %j',
    (more) => {
      expect(() => read(`${part('file', 'x', more)}--x--`)).toThrow('参数file不合法');
    },
  );

  test('may have 1,100 parts, and no more', () => {
    expect(maxParts).toBe(1_100);
    expect(read(`${part('a[]').repeat(1_100)}--x--`).a).toHaveLength(1_100);
    expect(() => read(`${part('a[]').repeat(1_101)}--x--`)).toThrow('请求内容过大');
  });

  test('gives what is called like a part of every object under its own name alone', () => {
    const form = read(`${part('__proto__', '1')}${part('constructor', '2')}--x--`);
    expect(Object.keys(form)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(form)).toBe(Object.prototype);
  });
});
