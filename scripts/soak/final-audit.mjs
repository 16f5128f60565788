import OpenAI from 'openai';
import { HybridSession } from '../../dist/esm/src/index.js';
import { auditList, auditSession } from './audit.mjs';
import { sleep } from './random.mjs';
import { countBy } from './report.mjs';
import { openStores } from './stores.mjs';
import { textsOf } from './texts.mjs';

const MAX_FLUSHES = 8;
/** Events that tell of items that are gone. */
const NAMING = ['incomplete', 'warning:ledger_damaged', 'warning:store_rewound'];
/** How many sessions are looked at at once. */
const LANES = 6;

/** Opens every session once more, without faults, and compares it with the journal. */
export async function auditAll({ places, kinds, journal, order, baseURL }) {
  const client = new OpenAI({ apiKey: 'soak', baseURL, timeout: 10_000 });
  const opened = await openStores(
    kinds.filter((kind) => kind !== 'memory'),
    order,
  );
  const results = [];
  const queue = places.entries();
  const lane = async () => {
    for (const [at, place] of queue) results[at] = await auditOne(place);
  };
  const auditOne = async (place) => {
    const calls = journal.of(place.key);
    if (calls.length === 0) return undefined;
    const told = [...(journal.events.get(place.key) ?? [])];
    const seen =
      place.kind === 'memory'
        ? seenByWorker(journal, place)
        : [await look(place.key, { client, ledger: opened.stores[place.kind], told })];
    return compared(place, { calls, seen, told, client });
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await opened.close();
  return results.filter((result) => result !== undefined);
}

function seenByWorker(journal, { key }) {
  const audit = journal.audits.get(key);
  if (audit === undefined) return [{ history: [], report: {}, error: 'the process did not say' }];
  return typeof audit.history === 'string' ? [{ ...audit, history: [], error: audit.history }] : [audit];
}

async function look(sessionId, { client, ledger, told }) {
  const onEvent = ({ type, code, reason, count }) => {
    const event = code === undefined ? type : `${type}:${code}`;
    told.push({ process: 'audit', event, at: Date.now(), reason, count });
  };
  const session = new HybridSession({
    client,
    sessionId,
    ledger,
    bookmark: false,
    advanced: { mirrorLease: 90_000 },
    onEvent,
  });
  try {
    for (let tries = 0; tries < MAX_FLUSHES; tries += 1) {
      const isDone = await session.flush().then(
        () => true,
        () => false,
      );
      if (isDone) break;
      await sleep(500);
    }
    const history = textsOf(await session.getItems());
    const report = await session.verify();
    return { history, report, conversationId: session.conversationId };
  } catch (error) {
    const { code, name, message } = error;
    return { history: [], report: {}, code, error: `${code ?? name}: ${message}` };
  }
}

async function compared(place, { calls, seen, told, client }) {
  const events = countBy(told, ({ event }) => event);
  const histories = seen.map((one) => one.history);
  const error = seen.find((one) => one.error !== undefined)?.error;
  // A session that cannot be read says nothing of its items.
  const found = auditSession(error === undefined ? { calls, histories } : { calls: [], histories: [] });
  const lists = [];
  for (const one of seen.filter(({ error }) => error === undefined)) {
    const listed = one.conversationId === undefined ? [] : await listedTexts(client, one.conversationId);
    const { findings = [], pending = 0 } = one.report;
    const countOf = (type) => findings.filter((finding) => finding.type === type).length;
    const named = countOf('lost') + pending + (events['warning:mirror_skipped'] ?? 0);
    lists.push({
      listed,
      findings,
      ...auditList({ history: one.history, listed, named, duplicated: countOf('duplicated') + pending }),
    });
  }
  const isNamed = NAMING.some((type) => (events[type] ?? 0) > 0);
  const sum = (name) => lists.reduce((all, list) => all + list[name], 0);
  return {
    ...place,
    ...found,
    unnamedGaps: sum('unnamedGaps'),
    unnamedCopies: sum('unnamedCopies'),
    error,
    calls: calls.length,
    acknowledged: calls.filter(({ outcome }) => outcome === 'done').flatMap(({ tokens }) => tokens).length,
    unnamed: isNamed ? [] : found.lost,
    verified: seen.every(({ report }) => report.verified === true),
    events,
    conversations: seen.map(({ conversationId }) => conversationId),
    trace: { calls, told, histories, lists },
  };
}

/** The texts of a conversation's list; a conversation that is gone lists nothing. */
async function listedTexts(client, conversationId) {
  const texts = [];
  try {
    for await (const item of client.conversations.items.list(conversationId, { order: 'asc', limit: 100 }))
      texts.push(...textsOf([item]));
  } catch (error) {
    if (error?.status !== 404) throw error;
  }
  return texts;
}
