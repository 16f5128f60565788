import type { Duplex } from 'node:stream';
import { frameOf, FrameReader, OPCODES, ProtocolError, type Frame } from './frames.ts';

/** The listeners of a connection. */
export interface ConnectionListener {
  /** A whole text message. */
  message(text: string): void;
  /** Called once: either side closed, or the connection broke. */
  closed(): void;
}

/** The server's side of an open WebSocket: whole text messages, without extensions. */
export class Connection {
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  readonly #limit: number;
  readonly #listener: ConnectionListener;
  #parts: Buffer[] = [];
  #isOpen = true;

  /** @param limit the longest message, in bytes. */
  constructor(socket: Duplex, limit: number, listener: ConnectionListener) {
    this.#socket = socket;
    this.#reader = new FrameReader(limit);
    this.#limit = limit;
    this.#listener = listener;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => this.break());
    socket.on('close', () => this.#end());
  }

  /** Sends a text; resolves when it has left, or the connection is closed. */
  async send(text: string): Promise<void> {
    if (!this.#isOpen) return;
    await new Promise<void>((resolve) => {
      this.#socket.write(frameOf(OPCODES.text, Buffer.from(text)), () => resolve());
    });
  }

  /** Closes in order, with a code of the protocol. */
  close(code: number): void {
    if (!this.#isOpen) return;
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#socket.end(frameOf(OPCODES.close, payload));
    this.#end();
  }

  /** Lets the connection break. */
  break(): void {
    this.#socket.destroy();
    this.#end();
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#listener.closed();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) if (this.#isOpen) this.#take(frame);
    } catch (error) {
      this.close(error instanceof ProtocolError ? error.code : 1011);
    }
  }

  #take({ opcode, isFinal, payload }: Frame): void {
    if (opcode === OPCODES.close) {
      this.close(payload.length >= 2 ? payload.readUInt16BE() : 1000);
    } else if (opcode === OPCODES.ping) {
      this.#socket.write(frameOf(OPCODES.pong, payload));
    } else if (opcode !== OPCODES.pong) {
      this.#add(opcode, isFinal, payload);
    }
  }

  #add(opcode: number, isFinal: boolean, payload: Buffer): void {
    if (opcode === OPCODES.binary) throw new ProtocolError(1003, 'Messages must be texts');
    if ((opcode === OPCODES.continuation) !== this.#parts.length > 0)
      throw new ProtocolError(1002, 'The parts of a message are out of order');
    this.#parts.push(payload);
    const length = this.#parts.reduce((total, part) => total + part.length, 0);
    if (length > this.#limit) throw new ProtocolError(1009, 'The message is too long');
    if (!isFinal) return;
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#listener.message(textIn(bytes));
  }
}

function textIn(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError(1007, 'The message is no UTF-8');
  }
}
