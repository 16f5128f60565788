import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  HybridRunner,
  HybridSession,
  memoryLedger,
  type LedgerRecord,
  type LedgerStore,
} from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { LEDGER_FORMAT, parseCheckpoint, parseRecord, type Checkpoint } from '../../src/ledger/record.ts';
import { Agent } from '@openai/agents';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { failureOf, guardProcess, holds, hostileJson, hostileText } from './support/property.ts';

guardProcess();

const SECRET = 'sk-secret-in-a-record';
const runner = new HybridRunner({ tracingDisabled: true });
const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

/** The records that a short life leaves. */
async function lived(): Promise<{ records: LedgerRecord[]; checkpoint: Checkpoint; said: string[] }> {
  const { client } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  await runner.run(agent, `one ${SECRET}`, { session });
  await runner.run(agent, 'two', { session });
  await session.addItems([user('three')]);
  await session.popItem();
  const id = await session.getSessionId();
  const { records } = await ledger.read(id);
  const checkpoint = await ledger.checkpoint(id);
  if (checkpoint === undefined) throw new Error('There is no checkpoint');
  return { records: [...records], checkpoint, said: texts(await session.getItems()) };
}

/** A store with these records. */
function holding(records: readonly unknown[], checkpoint: unknown): LedgerStore {
  return {
    checkpoint: async () => checkpoint as Checkpoint,
    read: async (_, from = 0, to?: number) => ({ records: records.slice(from, to) as LedgerRecord[] }),
    append: async () => undefined,
    rewrite: async () => undefined,
    delete: async () => undefined,
  };
}

/** Changes one field, somewhere, to something. */
function altered(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  if (Array.isArray(value)) {
    const list: unknown[] = value;
    return list.map((one, index) => (index === step % list.length ? altered(one, rest, by) : one));
  }
  const entries = Object.entries(value);
  const at = step % (entries.length + 1);
  if (at === entries.length) return { ...value, ['__proto__']: by };
  return Object.fromEntries(
    entries.map(([key, one], index) => [key, index === at ? altered(one, rest, by) : one]),
  );
}

// A store that seems to have lost records is read again for a while.
useVirtualTime();

const path = fc.array(fc.nat(6), { minLength: 1, maxLength: 5 });

describe('records of any kind', () => {
  it('records of any kind are read, or refused by name, without their content in the error', async () => {
    const { records } = await lived();
    const cases = fc.tuple(fc.constantFrom<unknown[]>(...records), path, hostileJson);
    await holds(
      800,
      fc.oneof(
        hostileJson,
        cases.map(([record, at, by]) => altered(record, at, by)),
      ),
      (value) => {
        try {
          parseRecord(value, 'session', 3);
        } catch (error) {
          expect(error).toMatchObject({ code: 'ledger_unreadable', position: 3 });
          expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(SECRET);
        }
        try {
          parseCheckpoint(value, 'session');
        } catch (error) {
          expect(error).toMatchObject({ code: 'ledger_unreadable', position: undefined });
        }
      },
    );
  });

  it('a changed record leads to a typed error, to a skipped tail, or to a history', async () => {
    const { records, checkpoint, said } = await lived();
    const cases = fc.tuple(fc.nat(records.length - 1), path, hostileJson);
    await holds(300, cases, async ([at, where, by]) => {
      const changed = records.map((record, index) => (index === at ? altered(record, where, by) : record));
      const damaged: number[] = [];
      const ledger = new Ledger({
        store: holding(changed, checkpoint),
        sessionId: 'session',
        now: () => 1,
        onDamaged: (position) => void damaged.push(position),
      });
      const error = await failureOf(async () => {
        const session = new HybridSession({
          mirror: 'off',
          sessionId: 'session',
          ledger: holding(changed, checkpoint),
          onIncomplete: 'warn',
        });
        const served = texts(await session.getItems());
        // Items before the damage are not touched by it.
        if (at > 2) expect(served[0]).toBe(said[0]);
        await ledger.read();
        if (damaged.length > 0) expect(damaged).toEqual([records.length - 1]);
      });
      if (error === undefined) return;
      expect(error).toMatchObject({
        code: expect.stringMatching(/^(ledger_unreadable|ledger_unavailable|history_incomplete)$/),
      });
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(SECRET);
    });
  });

  it('records of another version are never read', async () => {
    const { records, checkpoint } = await lived();
    await holds(
      60,
      fc.tuple(
        fc.nat(records.length - 1),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 }).filter((v) => v !== LEDGER_FORMAT),
      ),
      async ([at, v]) => {
        const changed = records.map((record, index) => (index === at ? { ...record, v } : record));
        const ledger = new Ledger({
          store: holding(changed, checkpoint),
          sessionId: 'session',
          now: () => 1,
        });
        expect(await failureOf(() => ledger.read())).toMatchObject({
          reason: v > LEDGER_FORMAT ? 'newer_format' : 'older_format',
          position: at,
        });
      },
    );
  });
});

describe('names that pollute prototypes', () => {
  it('names like __proto__ are plain names in items, call IDs, response IDs and sessions', async () => {
    const { client } = simulated();
    const name = fc.oneof(
      fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'valueOf'),
      hostileText,
    );
    await holds(60, fc.tuple(name, name, hostileJson), async ([key, sessionId, value]) => {
      const ledger = memoryLedger();
      const data = Object.fromEntries([[key, value]]) as Record<string, unknown>;
      const items = [
        { ...user('hi'), providerData: data },
        {
          type: 'function_call' as const,
          callId: key,
          name: key,
          arguments: '{}',
          status: 'completed' as const,
        },
        {
          type: 'function_call_result' as const,
          callId: key,
          name: key,
          output: 'x',
          status: 'completed' as const,
        },
      ];
      for (const options of [{ client }, { mirror: 'off' as const, sessionId }]) {
        const session = new HybridSession({ ...options, ledger });
        await session.addItems(items);
        await session.runCompaction({ responseId: key });
        await session.applyHistoryTransaction({
          operationId: key.trim() === '' ? 'op' : key,
          transaction: { type: 'append_items', items: [user('bye')] },
        });
        const served = await session.getItems();
        expect(served).toHaveLength(4);
        expect(JSON.stringify(served[0])).toContain(JSON.stringify(data));
        expect(Reflect.get(served[1] ?? {}, 'callId')).toBe(key);
        expect(await session.verify()).toMatchObject({ verified: true, responseId: key });
      }
    });
  });
});
