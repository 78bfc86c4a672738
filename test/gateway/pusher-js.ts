import * as library from 'pusher-js';

/** pusher-js, whose types say that it exports a `default` within the one that it does export. */
export const PusherClient: typeof library.default.default = Reflect.get(library, 'module.exports');
