import {
  Agent,
  setTraceProcessors,
  setTracingDisabled,
  withTrace,
  type Span,
  type SpanData,
  type TracingProcessor,
} from '@openai/agents';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { simulated } from '../support/simulated.ts';

type Ended = Span<SpanData>;

let spans: Ended[] = [];

function processor(onSpanEnd: (span: Ended) => Promise<void>): TracingProcessor {
  return {
    onTraceStart: async () => undefined,
    onTraceEnd: async () => undefined,
    onSpanStart: async () => undefined,
    onSpanEnd,
    shutdown: async () => undefined,
    forceFlush: async () => undefined,
  };
}

/** The spans of this package, with their data. */
function ours(): { name: string; data: Record<string, unknown> }[] {
  return spans.flatMap(({ spanData }) =>
    spanData.type === 'custom' ? [{ name: spanData.name, data: { ...spanData.data } }] : [],
  );
}

function byName(name: string): Ended[] {
  return spans.filter(({ spanData }) => spanData.type === 'custom' && spanData.name === name);
}

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

beforeEach(() => {
  spans = [];
  setTracingDisabled(false);
  setTraceProcessors([processor(async (span) => void spans.push(span))]);
});

afterEach(() => {
  setTracingDisabled(true);
  setTraceProcessors([]);
});

describe.each(WAYS)('%s', (_way, stream) => {
  async function twoTurns(session: HybridSession): Promise<void> {
    const runner = new HybridRunner();
    for (const text of ['hi', 'thanks']) {
      if (stream) await (await runner.run(agent, text, { session, stream: true })).completed;
      else await runner.run(agent, text, { session });
    }
  }

  test('the trace of a run shows the read, the plan and the write of its history', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    await twoTurns(session);
    const sessionId = await session.getSessionId();

    const [first, second] = byName('hybrid_session.read');
    expect(first?.traceId).not.toBe(second?.traceId);
    const seen = ours().filter(({ name }) => name !== 'hybrid_session.restore');
    expect(seen.map(({ name }) => name)).toEqual([
      'hybrid_session.read',
      'hybrid_session.plan',
      'hybrid_session.append',
      'hybrid_session.read',
      'hybrid_session.plan',
      'hybrid_session.append',
    ]);
    expect(seen.slice(3).map(({ data }) => data)).toEqual([
      { sessionId, mode: 'chain', served: 'ledger', items: 2, milliseconds: expect.any(Number) },
      {
        sessionId,
        plan: 'chain',
        reason: 'extends',
        parentId: expect.stringMatching(/^resp_/),
        sent: 1,
        context: 3,
        savedBytes: expect.any(Number),
      },
      { sessionId, mode: 'chain', items: 2, pending: 0 },
    ]);
  });

  test('the span of a read shows the sources of the items', async () => {
    const { client } = simulated({ unlink: 'every-turn' });
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    await twoTurns(session);
    await withTrace('support', () => session.getItems());
    const read = byName('hybrid_session.read').at(-1);
    const restore = byName('hybrid_session.restore').at(-1);
    expect(restore?.parentId).toBe(read?.spanId);
    expect(restore?.traceId).toBe(read?.traceId);
    expect(ours().slice(-2)).toEqual([
      {
        name: 'hybrid_session.restore',
        data: { sessionId: session.sessionId, reason: 'checked', missing: 0, ledger: 4 },
      },
      {
        name: 'hybrid_session.read',
        data: { sessionId: session.sessionId, mode: 'chain', served: 'ledger', items: 4, lost: 1 },
      },
    ]);
  });
});

test('no span or trace is made outside a trace', async () => {
  const session = new HybridSession({ client: simulated().client });
  await session.addItems([user('hi')]);
  await session.getItems();
  expect(spans).toEqual([]);
});

test('a trace shows none of the reads outside it', async () => {
  const session = new HybridSession({ client: simulated().client });
  await session.addItems([user('hi')]);
  await session.getItems();
  await withTrace('support', async () => {
    await session.getItems();
    await session.addItems([user('thanks')]);
  });
  expect(ours().map(({ name }) => name)).toEqual([
    'hybrid_session.restore',
    'hybrid_session.read',
    'hybrid_session.append',
  ]);
});

test('a failed span has a word for the reason, and no content', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client, conversationId: 'conv_unknown' });
  await withTrace('support', async () => {
    await expect(session.getItems()).rejects.toThrow('conv_unknown');
  });
  expect(byName('hybrid_session.read').map(({ error }) => error)).toEqual([
    { message: 'conversation_not_found' },
  ]);
});

function fail(): never {
  throw new Error('The processor failed');
}

test('a failing trace processor costs no turn', async () => {
  setTraceProcessors([{ ...processor(fail), onSpanStart: fail }]);
  const session = new HybridSession({ client: simulated().client });
  await withTrace('support', async () => {
    await session.addItems([user('hi')]);
    expect(await session.getItems()).toHaveLength(1);
  });
});
