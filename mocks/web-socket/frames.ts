/** The kinds of frames, by their number in RFC 6455. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as it came. */
export interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

/** A frame or message that breaks the protocol; the connection is closed with the code. */
export class ProtocolError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
  }
}

/** A whole frame of a server, which masks none. */
export function frameOf(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = length < 126 ? Buffer.alloc(2) : length < 0x1_0000 ? Buffer.alloc(4) : Buffer.alloc(10);
  header[0] = 0x80 | opcode;
  if (length < 126) header[1] = length;
  else if (length < 0x1_0000) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, payload]);
}

/** Cuts the bytes of a client into frames. */
export class FrameReader {
  readonly #limit: number;
  #bytes: Buffer = Buffer.alloc(0);
  /** Chunks that do not make a frame yet. */
  #chunks: Buffer[] = [];
  #waiting = 0;
  /** How many bytes the next frame takes, as far as its beginning says. */
  #needed = 2;

  /** @param limit the longest payload, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * The frames that these bytes complete.
   * @throws ProtocolError 1002 for a frame that breaks the protocol, 1009 for one that is too long.
   */
  *read(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#bytes.length + this.#waiting < this.#needed) return;
    this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks]);
    this.#chunks = [];
    this.#waiting = 0;
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) yield frame;
  }

  #next(): Frame | undefined {
    const bytes = this.#bytes;
    this.#needed = 2;
    if (bytes.length < this.#needed) return undefined;
    const [first = 0, second = 0] = bytes;
    const opcode = first & 0x0f;
    const isFinal = (first & 0x80) !== 0;
    const short = second & 0x7f;
    if ((first & 0x70) !== 0) throw new ProtocolError(1002, 'No extension was negotiated');
    if (!Object.values<number>(OPCODES).includes(opcode))
      throw new ProtocolError(1002, 'Unknown kind of frame');
    if ((second & 0x80) === 0) throw new ProtocolError(1002, 'Frames of a client must be masked');
    if (opcode >= 8 && (!isFinal || short > 125))
      throw new ProtocolError(1002, 'A control frame must be short and whole');
    const start = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    this.#needed = start;
    if (bytes.length < this.#needed) return undefined;
    const length =
      short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (length > this.#limit) throw new ProtocolError(1009, 'The message is too long');
    const end = start + 4 + length;
    this.#needed = end;
    if (bytes.length < this.#needed) return undefined;
    const mask = bytes.subarray(start, start + 4);
    const payload = Buffer.from(bytes.subarray(start + 4, end));
    for (let index = 0; index < length; index += 1)
      payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0);
    this.#bytes = bytes.subarray(end);
    return { opcode, isFinal, payload };
  }
}
