/** A server of its own on 127.0.0.1. */
export interface OwnServer {
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  freeze(): boolean;
  thaw(): boolean;
  /** Kills it and starts it again that many milliseconds later. */
  restart(down?: number): Promise<void>;
}

/** Whether a program is on the PATH. */
export function hasProgram(name: string): boolean;

/** A port of 127.0.0.1 that nothing uses. */
export function freePort(): Promise<number>;
