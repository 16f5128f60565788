import { pathToFileURL } from 'node:url';
import { d1Ledger, type D1LedgerDatabase, type D1LedgerStatement } from '../../../src/d1.ts';
import type { Engine } from './engine.ts';

/** The main file of miniflare. */
export const d1Module: string | undefined = process.env['TEST_D1_MODULE'];

/** A D1 binding, by the methods of it that only tests use. */
export interface D1Binding extends D1LedgerDatabase {
  exec(sql: string): Promise<unknown>;
}

/** The runtime of Cloudflare's Workers, by the methods of miniflare that the tests use. */
export interface Miniflare {
  getD1Database(name: string): Promise<D1Binding>;
  dispatchFetch(url: string, init: { method: 'POST'; body: string }): Promise<Response>;
  dispose(): Promise<void>;
}

interface MiniflareModule {
  Miniflare: new (options: {
    modules: true;
    script: string;
    compatibilityDate: string;
    compatibilityFlags: string[];
    d1Databases: Record<string, string>;
  }) => Miniflare;
}

/** A Worker that runs the batches which it is sent: a binding outside of the runtime needs a request for each of its calls. */
const WORKER = `export default {
  async fetch(request, env) {
    const database = env[new URL(request.url).pathname.slice(1)];
    const statements = await request.json();
    try {
      return Response.json(await database.batch(statements.map(({ sql, args }) => database.prepare(sql).bind(...args))));
    } catch (error) {
      return new Response(error.message, { status: 500 });
    }
  },
};`;

const NAMES = Array.from({ length: 8 }, (_, index) => `DB${index}`);
const TABLES = ['hybrid_session_ledger', 'hybrid_session_ledger_record'];

/** The runtime closes connections when there are many. */
const MAX_REQUESTS = 16;

const free = [...NAMES];
let runtime: Promise<Miniflare> | undefined;

/** Starts the runtime with one Worker. */
export async function startWorker(script: string): Promise<Miniflare> {
  const { Miniflare } = (await import(pathToFileURL(d1Module ?? '').href)) as MiniflareModule;
  return new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2025-10-01',
    compatibilityFlags: ['nodejs_compat'],
    d1Databases: Object.fromEntries(NAMES.map((name) => [name, name])),
  });
}

interface Statement extends D1LedgerStatement {
  readonly sql: string;
  readonly args: readonly unknown[];
}

/** The database behind the Worker. */
function throughWorker(miniflare: Miniflare, name: string): D1LedgerDatabase {
  const waiting: (() => void)[] = [];
  let running = 0;
  const statement = (sql: string, args: readonly unknown[]): Statement => ({
    sql,
    args,
    bind: (...values) => statement(sql, values),
  });
  return {
    prepare: (sql) => statement(sql, []),
    async batch(statements) {
      if (running >= MAX_REQUESTS) await new Promise<void>((resolve) => waiting.push(resolve));
      running += 1;
      try {
        const body = JSON.stringify(statements);
        const response = await miniflare.dispatchFetch(`http://d1/${name}`, { method: 'POST', body });
        if (!response.ok) throw new Error(await response.text());
        return (await response.json()) as { results: unknown[] }[];
      } finally {
        running -= 1;
        waiting.shift()?.();
      }
    },
  };
}

/** An empty database of its own; `remove` when the test is done with it. The runtime ends when all are free again. */
export async function d1Database(): Promise<{
  binding: D1Binding;
  database: D1LedgerDatabase;
  remove: () => Promise<void>;
}> {
  const name = free.pop();
  if (name === undefined) throw new Error('There is no free D1 database');
  const miniflare = await (runtime ??= startWorker(WORKER));
  const binding = await miniflare.getD1Database(name);
  const remove = async (): Promise<void> => {
    for (const table of TABLES) await binding.exec(`DROP TABLE IF EXISTS ${table}`);
    free.push(name);
    if (free.length < NAMES.length) return;
    runtime = undefined;
    await miniflare.dispose();
  };
  return { binding, database: throughWorker(miniflare, name), remove };
}

/** D1 in the runtime of Cloudflare's Workers. */
export const d1Engine: Engine = {
  name: 'D1',
  missing: d1Module === undefined ? 'TEST_D1_MODULE is not set' : undefined,
  async create() {
    const { database, remove } = await d1Database();
    return { open: () => ({ store: d1Ledger({ database }) }), remove };
  },
};
