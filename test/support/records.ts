import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { Draft } from '../../src/ledger/drafts/drafts.ts';
import { LEDGER_FORMAT, type LedgerItem, type LedgerRecord } from '../../src/ledger/record.ts';

const mirrorId: Arbitrary<string> = fc.constantFrom('msg_1', 'msg_2', 'msg_3', 'msg_4');
/** A sequence number: of an entry that is there, that was, or that never will be. */
const seq: Arbitrary<number> = fc.nat({ max: 12 });

/** An item as a record holds it: of few kinds, so that the same comes twice. */
const ledgerItem: Arbitrary<LedgerItem> = fc
  .tuple(fc.constantFrom('digest-a', 'digest-b', null), fc.option(mirrorId, { freq: 3, nil: undefined }))
  .map(([digest, id]) => ({
    digest,
    kind: digest === null ? 'reasoning' : 'message:user',
    ...(id === undefined ? {} : { mirrorId: id }),
    ...(id === 'msg_1' ? { link: 'msg_2' } : {}),
  }));

const common = {
  v: fc.constant(LEDGER_FORMAT),
  commit: fc.constantFrom('commit-a', 'commit-b'),
  time: fc.nat(),
};
const conversation = fc.constantFrom('conv_1', 'conv_2');
const context = fc.record({ length: fc.nat({ max: 5 }), digest: fc.constantFrom('context-a', 'context-b') });

const run = fc.constantFrom('run-1', 'run-2');
const responses = fc.constant<Draft['responses'][number][]>([]);

/** A draft that begins or goes on, or one that ends. */
const draftRecord: Arbitrary<LedgerRecord> = fc.oneof(
  fc.record({
    ...common,
    type: fc.constant('draft' as const),
    run,
    keep: fc.nat({ max: 3 }),
    items: fc.array(ledgerItem, { maxLength: 2 }),
    responses,
  }),
  fc.record(
    {
      ...common,
      type: fc.constant('draft' as const),
      run,
      keep: fc.constant(0),
      items: fc.constant<LedgerItem[]>([]),
      responses,
      ended: fc.constant(true),
      interrupted: fc.record({
        reason: fc.constant('tool'),
        items: fc.nat({ max: 3 }),
        made: fc.nat({ max: 1 }),
      }),
    },
    { requiredKeys: ['v', 'commit', 'time', 'type', 'run', 'keep', 'items', 'responses', 'ended'] },
  ),
);

/** Any record, also one that refers to a missing entry. */
export const ledgerRecord: Arbitrary<LedgerRecord> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...common,
      type: fc.constant('items' as const),
      items: fc.array(ledgerItem, { maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      ...common,
      type: fc.constant('replace' as const),
      keep: fc.nat({ max: 8 }),
      items: fc.array(fc.oneof(fc.record({ seq }), ledgerItem), { maxLength: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...common, type: fc.constant('pop' as const) }) },
  { weight: 1, arbitrary: fc.record({ ...common, type: fc.constant('clear' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...common,
      type: fc.constant('mirror' as const),
      released: fc.boolean(),
      added: fc.array(
        fc.record({ seq, id: mirrorId, assumed: fc.boolean() }, { requiredKeys: ['seq', 'id'] }),
        {
          maxLength: 3,
        },
      ),
      removed: fc.array(mirrorId, { maxLength: 2 }),
      skipped: fc.array(fc.record({ seq, reason: fc.constant('no form') }), { maxLength: 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      {
        ...common,
        type: fc.constant('mirror' as const),
        added: fc.array(fc.record({ seq, id: mirrorId }), { maxLength: 1 }),
        removed: fc.array(mirrorId, { maxLength: 1 }),
        surplus: fc.array(mirrorId, { maxLength: 2 }),
        again: fc.array(seq, { maxLength: 2 }),
        behind: seq,
        duplicates: fc.array(fc.record({ seq, id: mirrorId }), { maxLength: 2 }),
        settled: fc.boolean(),
        deleted: fc.array(conversation, { maxLength: 1 }),
        unlinked: fc.array(seq, { maxLength: 2 }),
      },
      { requiredKeys: ['v', 'commit', 'time', 'type', 'added', 'removed'] },
    ),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        ...common,
        id: fc.constantFrom('resp_1', 'resp_2'),
        store: fc.boolean(),
        model: fc.option(fc.constantFrom('gpt-5.4', 'gpt-5.5')),
        context: fc.option(context),
        seen: fc.option(fc.record({ lost: fc.nat(9), whole: fc.boolean() }, { requiredKeys: [] })),
      })
      .map(({ model, context, seen, ...rest }): LedgerRecord => ({
        ...rest,
        type: 'response',
        ...(model === null ? {} : { model }),
        ...(context === null ? {} : { context }),
        ...(seen === null ? {} : { seen }),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.record({
        ...common,
        type: fc.constant('refused' as const),
        id: fc.constantFrom('resp_1', 'resp_2'),
      }),
      fc.record({
        ...common,
        type: fc.constant('lease' as const),
        writer: fc.constant('w'),
        until: fc.nat(),
      }),
      fc.record({ ...common, type: fc.constant('conversation' as const), id: conversation }),
      draftRecord,
      fc.record({
        ...common,
        type: fc.constant('alias' as const),
        sessionId: fc.constantFrom('session-1', 'session-2'),
      }),
    ),
  },
);

/** The life of a session. */
export const ledgerRecords: Arbitrary<LedgerRecord[]> = fc.array(ledgerRecord, { maxLength: 12 });

const viewRecord: Arbitrary<LedgerRecord> = fc
  .record({ ...common, from: seq, left: fc.uniqueArray(seq, { maxLength: 2 }), items: fc.array(ledgerItem) })
  .map(({ left, ...rest }) => ({ ...rest, type: 'view', ...(left.length === 0 ? {} : { left }) }));

const compaction: Arbitrary<LedgerRecord> = fc.record({
  ...common,
  type: fc.constant('items' as const),
  items: fc.tuple(ledgerItem, fc.constant({ kind: 'compaction', digest: 'digest-x' }), ledgerItem),
});

/** The life of a session whose log is never rewritten, with compactions and windows. */
export const shortenedRecords: Arbitrary<LedgerRecord[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: ledgerRecord.filter(({ type }) => type !== 'pop' && type !== 'clear') },
    { weight: 1, arbitrary: viewRecord },
    { weight: 1, arbitrary: compaction },
  ),
  { maxLength: 12 },
);
