import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession } from '../../src/index.ts';
import { diagnose, recordDiagnosis, type Diagnosis } from '../../src/doctor.ts';
import {
  countedBy,
  livedStages,
  wordsOf,
  type LivedStages,
  type Stage,
  type StagesOptions,
} from './lived-stages.ts';
import { FULL } from '../support/runs.ts';

const MODES = ['stock', 'off', 'shadow', 'rebuild', 'chain'] as const;
const COUNTS = [
  [2, 2, 2],
  [1, 3, 2],
  [3, 2, 1],
  [2, 5, 2],
] as const;
const POLICIES = ['none', 'id-replay', 'every-turn'] as const;
const EVIDENCE = ['ledger', 'both', 'responses'] as const;
type Evidence = (typeof EVIDENCE)[number];

/** All of them take their time on a machine with other work. */
const LONG = 600_000;

interface Story extends Pick<StagesOptions, 'unlink' | 'ours' | 'isAnew'> {
  readonly stages: readonly Stage[];
}

/** Every ordered pair and triple of modes in which no mode follows itself. */
const SEQUENCES = MODES.flatMap((first) =>
  MODES.flatMap((second) =>
    [undefined, ...MODES].flatMap((third) =>
      first === second || second === third ? [] : [[first, second, third].flatMap((mode) => mode ?? [])],
    ),
  ),
);

/** Each sequence with one of the ways to live through it, or with all of them; each of `parts` tests takes a part. */
const storiesOf = (part: number, parts: number): readonly Story[] =>
  SEQUENCES.flatMap((modes, at) => {
    if (!FULL && at % parts !== part) return [];
    const ways = COUNTS.flatMap((counts) =>
      POLICIES.flatMap((unlink) =>
        [true, false].flatMap((ours) => [true, false].map((isAnew) => ({ counts, unlink, ours, isAnew }))),
      ),
    );
    const chosen = FULL ? ways : ways.filter((_, way) => way === (at * 7) % ways.length);
    return chosen.map(({ counts, ...way }) => {
      const stages = modes.map((mode, nth): Stage => ({ mode, turns: counts[nth] ?? 1 }));
      return { stages, ...way };
    });
  });

function look(
  { client, conversationId, ledger, responses }: LivedStages,
  evidence: Evidence,
): Promise<Diagnosis> {
  return diagnose({
    client,
    conversationId,
    content: true,
    ...(evidence === 'responses' ? {} : { ledger }),
    ...(evidence === 'ledger' ? {} : { responses }),
  });
}

/** Whether one equals the other, or is a part of it. */
function isLeftOf(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const one of all) if (one === some[at]) at += 1;
  return at === some.length;
}

/** Whether nothing stands in one more often than in the other. */
function isNoMore(some: readonly string[], all: readonly string[]): boolean {
  const left = [...all];
  return some.every((word) => left.includes(word) && left.splice(left.indexOf(word), 1).length === 1);
}

/**
 * The differences between the doctor's count and the real history.
 *
 * @param mayNotTell whether it may count less where it says that it does not know all.
 */
async function wrongCounts(
  stories: readonly Story[],
  options: StagesOptions,
  mayNotTell = false,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { stages, ...way } of stories) {
    const lived = await livedStages(stages, { ...way, ...options });
    const { said, recorded } = lived;
    for (const one of EVIDENCE) {
      const found = await look(lived, one);
      const counted = countedBy(found);
      // No ledger knows the losses of a list before it adopted the list.
      const isRight =
        one === 'ledger' && way.unlink !== 'none'
          ? isLeftOf(counted, said) && isLeftOf(recorded, counted)
          : counted.join('\n') === said.join('\n');
      const isOpen = found.caveats.some(({ kind }) => kind === 'unanswered' || kind === 'unaccounted');
      if (isRight || (mayNotTell && isOpen && isNoMore(counted, said))) continue;
      const story = stages.map(({ mode, turns }) => `${mode} ${turns}`).join(', ');
      const at = counted.findIndex((word, index) => word !== said[index]);
      wrong.push(
        `${story} ${JSON.stringify(way)}: of ${said.length} ${counted.length}, other at ${at} (${one}, ${found.verdict})`,
      );
    }
  }
  return wrong;
}

describe('the doctor counts as said exactly what was said', () => {
  it.each([
    ['own', false],
    ['own', true],
    ['inherited', false],
    ['inherited', true],
  ] as const)(
    'the doctor counts every item once in every order of modes, with %s input items and tools: %s',
    async (inputItems, tools) => {
      const part = (inputItems === 'own' ? 0 : 2) + (tools ? 1 : 0);
      expect(await wrongCounts(storiesOf(part, 4), { inputItems, tools })).toEqual([]);
    },
    LONG,
  );

  it.each(['own', 'inherited'] as const)(
    'the doctor counts repeated messages exactly, with %s input items',
    async (inputItems) => {
      const stories = storiesOf(inputItems === 'own' ? 0 : 1, 4);
      expect(await wrongCounts(stories, { inputItems, say: () => 'ok' }, true)).toEqual([]);
    },
    LONG,
  );
});

describe('what the doctor adds to a ledger', () => {
  const documented: readonly Stage[] = [
    { mode: 'stock', turns: 3 },
    { mode: 'shadow', turns: 5 },
    { mode: 'chain', turns: 2 },
  ];

  it('the doctor adds no item after stock, shadow and chain when only the ledger is given', async () => {
    const lived = await livedStages(documented, { inputItems: 'own', unlink: 'every-turn' });
    const found = await look(lived, 'ledger');
    const before = await lived.ledger.checkpoint(lived.conversationId);
    expect(isLeftOf(countedBy(found), lived.said)).toBe(true);
    expect(await recordDiagnosis(lived.ledger, found)).toBe(0);
    expect(await lived.ledger.checkpoint(lived.conversationId)).toEqual(before);
  });

  it.each(['none', 'id-replay', 'every-turn'] as const)(
    'the doctor adds the items lost before the ledger began, and heal() writes the whole history (%s)',
    async (unlink) => {
      const lived = await livedStages(documented, { inputItems: 'own', unlink });
      const { client, conversationId, ledger, said } = lived;
      await recordDiagnosis(ledger, await look(lived, 'both'));
      const session = new HybridSession({ client, conversationId, ledger });
      expect(wordsOf(await session.getItems())).toEqual(said);
      expect(await session.heal()).toMatchObject({ items: said.length, verified: true });
      const stock = new OpenAIConversationsSession({ client, conversationId: session.conversationId ?? '' });
      expect(wordsOf(await stock.getItems())).toEqual(said);
      const healed = { ...lived, conversationId: session.conversationId ?? '' };
      const again = await look(healed, 'both');
      expect(countedBy(again)).toEqual(said);
      expect(await recordDiagnosis(ledger, again)).toBe(0);
    },
  );

  it('the doctor does not add removed items', async () => {
    const stages: readonly Stage[] = [
      { mode: 'stock', turns: 2 },
      { mode: 'shadow', turns: 1 },
    ];
    const lived = await livedStages(stages, { inputItems: 'own', unlink: 'none' });
    const { client, conversationId, ledger, said } = lived;
    const session = new HybridSession({ client, conversationId, ledger });
    await session.popItem();
    await session.popItem();
    for (const evidence of ['ledger', 'both'] as const)
      expect(countedBy(await look(lived, evidence))).toEqual(said.slice(0, -2));
  });

  it('the items that the doctor adds count as unproven', async () => {
    const stages: readonly Stage[] = [
      { mode: 'stock', turns: 4 },
      { mode: 'chain', turns: 1 },
    ];
    const lived = await livedStages(stages, { unlink: 'every-turn' });
    const { client, conversationId, ledger } = lived;
    const session = new HybridSession({ client, conversationId, ledger });
    const { unproven } = await session.verify();
    const added = await recordDiagnosis(ledger, await look(lived, 'both'));
    expect(added).toBeGreaterThan(0);
    expect((await session.verify()).unproven).toBe(unproven + added);
  });
});

describe('turns of another writer of which the list lost the answers', () => {
  it('turns of another writer with lost answers are never whole', async () => {
    const stages: readonly Stage[] = [
      { mode: 'rebuild', turns: 1 },
      { mode: 'stock', turns: 3 },
    ];
    const lived = await livedStages(stages, { unlink: 'every-turn', model: 'gpt-5.4' });
    const session = new HybridSession({
      client: lived.client,
      conversationId: lived.conversationId,
      ledger: lived.ledger,
    });
    await session.verify();
    const alone = await look(lived, 'ledger');
    expect(alone.caveats.map(({ kind }) => kind)).toContain('unanswered');
    expect(alone.verdict).not.toBe('whole');
    expect(countedBy(await look(lived, 'both'))).toEqual(lived.said);
  });
});
