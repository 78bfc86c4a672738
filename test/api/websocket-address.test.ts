import { expect, test } from 'vitest';
import { withPort } from '../../contracts/websocket-address.ts';

test.each([
  ['ws://im.example', 'ws://im.example:80'],
  ['wss://im.example', 'wss://im.example:443'],
  ['wss://im.example/', 'wss://im.example:443/'],
  ['wss://im.example/some/prefix', 'wss://im.example:443/some/prefix'],
  ['wss://im.example?a=b', 'wss://im.example:443?a=b'],
  ['https://im.example', 'https://im.example:443'],
  ['WSS://im.example', 'WSS://im.example:443'],
  ['ws://im.example:/x', 'ws://im.example:80/x'],
  ['ws://im.example:8787', 'ws://im.example:8787'],
  ['wss://im.example:443/ws', 'wss://im.example:443/ws'],
  ['ws://[::1]', 'ws://[::1]:80'],
  ['ws://[::1]:8787/ws', 'ws://[::1]:8787/ws'],
  ['im.example', 'im.example'],
  ['im.example:6060', 'im.example:6060'],
  ['', ''],
])('the websocket’s address %s is shown as %s', (given, shown) => {
  expect(withPort(given)).toBe(shown);
});
