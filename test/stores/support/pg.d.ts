/** The part of the driver that the tests use; it brings no types of its own. */
declare module 'pg' {
  export class Pool {
    constructor(options: { connectionString: string; max?: number });
    query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>;
    end(): Promise<void>;
  }
}
