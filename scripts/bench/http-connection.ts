import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/**
 * One keep-alive connection, one request at a time: as little work as can be, since the load runs on
 * the machine that is measured.
 */
export class HttpConnection {
  readonly #port: number;
  #socket: Socket;
  #received = '';
  #answered: { resolve: (body: string) => void; reject: (error: Error) => void } | undefined;

  private constructor(port: number) {
    this.#port = port;
    this.#socket = this.#connect();
  }

  static async open(port: number): Promise<HttpConnection> {
    const connection = new HttpConnection(port);
    await once(connection.#socket, 'connect');
    return connection;
  }

  #connect(): Socket {
    const socket = connect(this.#port, '127.0.0.1');
    socket.setNoDelay(true);
    // One character a byte, as lengths are counted; refusals are in Chinese.
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    const broken = (error?: Error) => {
      if (socket !== this.#socket) return;
      this.#answered?.reject(error ?? new Error('the connection was closed'));
      this.#answered = undefined;
    };
    socket.on('error', broken);
    socket.on('close', () => broken());
    return socket;
  }

  /** Posts JSON and answers with the body. Throws if the connection breaks. */
  post(path: string, headers: string, json: string): Promise<string> {
    const length = Buffer.byteLength(json);
    return this.#ask(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${headers}Content-Type: application/json\r\n` +
        `Content-Length: ${length}\r\n\r\n${json}`,
    );
  }

  /** Gets the body of an answer. Throws if the connection breaks. */
  get(path: string, headers: string): Promise<string> {
    return this.#ask(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${this.#port}\r\n${headers}\r\n`);
  }

  #ask(request: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    // A server closes connections on which nobody asks for long.
    if (this.#socket.destroyed) {
      this.#received = '';
      this.#socket = this.#connect();
    }
    this.#answered = { resolve, reject };
    this.#socket.write(request);
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.#received.slice(0, end))?.[1]);
    const total = end + 4 + length;
    if (this.#received.length < total) return;
    const body = Buffer.from(this.#received.slice(end + 4, total), 'latin1').toString();
    this.#received = this.#received.slice(total);
    const answered = this.#answered;
    this.#answered = undefined;
    answered?.resolve(body);
  }
}
