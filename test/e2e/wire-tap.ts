import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Stands before a server, reads each statement on its way to it, and may hold it up. */
export class WireTap {
  /** As settings write it. */
  readonly host: string;
  /** All statements that came by, in their order. */
  readonly statements: string[] = [];
  /** Is waited for before a statement goes on; the server may be dead by then. */
  before: (statement: string) => Promise<void> = async () => Promise.resolve();
  /** What the server answers to statements of which this is so never comes through. */
  swallows: (statement: string) => boolean = () => false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.host = `127.0.0.1:${String(port)}`;
  }

  static async to(port: number): Promise<WireTap> {
    const server = createServer((socket) => void tap.#serve(socket, port)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port is free');
    const tap = new WireTap(server, address.port);
    return tap;
  }

  /** Breaks all connections. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  close(): void {
    this.#server.close();
    this.hangUp();
  }

  async #serve(client: Socket, port: number): Promise<void> {
    this.#sockets.add(client);
    const server = connect(port, '127.0.0.1');
    let deaf = false;
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const one of [client, server]) one.on('error', end).on('close', end);
    server.on('data', (piece: Buffer) => {
      if (!deaf) client.write(piece);
    });
    await this.#pass(client, server, () => (deaf = true)).catch(end);
  }

  async #pass(client: Socket, server: Socket, deafen: () => void): Promise<void> {
    let rest = Buffer.alloc(0);
    for await (const piece of client) {
      rest = Buffer.concat([rest, Buffer.from(piece)]);
      for (let packet = first(rest); packet !== undefined; packet = first(rest)) {
        rest = rest.subarray(packet.length);
        const statement = statementIn(packet);
        if (statement !== undefined) {
          this.statements.push(statement);
          await this.before(statement);
          if (this.swallows(statement)) deafen();
        }
        server.write(packet);
      }
    }
  }
}

const HEAD = 4;
const QUERY = 3;

/** The first whole packet: three bytes of length, one that counts, and what is in it. */
function first(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEAD) return undefined;
  const length = HEAD + bytes.readUIntLE(0, 3);
  return bytes.length < length ? undefined : bytes.subarray(0, length);
}

/** The text of a packet that begins something and is a statement; those of a login count on from another one. */
function statementIn(packet: Buffer): string | undefined {
  if (packet[3] !== 0 || packet[HEAD] !== QUERY) return undefined;
  // MySQL's own protocol has the number of attributes before it: none, in one set.
  const from = packet[HEAD + 1] === 0 && packet[HEAD + 2] === 1 ? HEAD + 3 : HEAD + 1;
  return packet.subarray(from).toString('utf8');
}
