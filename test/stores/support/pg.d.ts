/** The part of the driver that the tests use; it brings no types of its own. */
declare module 'pg' {
  export class Pool {
    constructor(options: { connectionString: string; max?: number; query_timeout?: number });
    query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
    on(event: 'error', listener: (error: Error) => void): this;
    end(): Promise<void>;
  }
}
