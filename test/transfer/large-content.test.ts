import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { describeDiagnosis } from '../../src/cli/output/doctor-text.ts';
import { describeInspection } from '../../src/cli/output/inspect-text.ts';
import { responseIdsIn } from '../../src/cli/input/response-ids.ts';
import { importItems, memoryLedger, toJsonLines, toMarkdown } from '../../src/index.ts';
import { diagnosisPage, inspectLedger } from '../../src/doctor.ts';
import { diagnosisOf, lost, timelineItem } from '../doctor/html/sample-diagnosis.ts';

const SIZE = 200_000;

/** Texts on which an expression that gives back what it took would try again for every character. */
const TEXTS: Readonly<Record<string, string>> = {
  'tildes before a backtick': `${'~'.repeat(SIZE)}\``,
  'backticks before another one': `${'`'.repeat(SIZE)} \``,
  'backticks apart': '` '.repeat(SIZE / 2),
  'an indented fence': `${' '.repeat(SIZE)}~~~\n${' '.repeat(SIZE)}x`,
  'fences within fences': '~~~\n'.repeat(SIZE / 4),
  'spaces alone': ' '.repeat(SIZE),
  'spaces before a word': `${' '.repeat(SIZE)}x`,
  'line feeds alone': '\n'.repeat(SIZE),
  'carriage returns alone': '\r'.repeat(SIZE),
  'a data URL of equals signs': `data:${'='.repeat(SIZE)}`,
  'a data URL of semicolons': `data:${';'.repeat(SIZE)}`,
  'a data URL padded in front': `data:image/png;base64,${'='.repeat(SIZE)}x`,
  controls: '\u001B\u200D'.repeat(SIZE / 2),
  'halves of characters': '\uD800'.repeat(SIZE),
  'brackets within brackets': '['.repeat(SIZE),
  'lists within lists': `${'['.repeat(4000)}${']'.repeat(4000)}`,
  'many values deep within lists': `${'['.repeat(60)}${'1,'.repeat(SIZE / 2)}1${']'.repeat(60)}`,
  'IDs within IDs': 'resp_'.repeat(SIZE / 5),
};

const itemsOf = (text: string): AgentInputItem[] => [
  { role: 'user', content: text },
  { role: 'user', content: [{ type: 'input_image', image: text }] },
  { type: 'function_call', callId: 'call_1', name: text, arguments: text },
  { type: 'hosted_tool_call', name: 'web_search_call', output: text },
  {
    type: 'function_call_result',
    callId: 'call_1',
    name: 'f',
    status: 'completed',
    output: { type: 'text', text },
  },
];

const paint = (_tone: string, shown: string): string => shown;

const sizeOf = (pieces: Iterable<string>): number => {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  return size;
};

/** Minutes for what takes seconds: only what grows with the square of the size takes longer. */
const LIMIT = 120_000;

describe('an item of two hundred thousand characters is shown in a time and a size that grow with it', () => {
  test.each(Object.entries(TEXTS))(
    'a large item is shown in linear time and size: %s',
    async (_name, text) => {
      const items = itemsOf(text);
      expect(sizeOf(toMarkdown(items))).toBeLessThan(SIZE * 150);
      expect(sizeOf(toJsonLines(items))).toBeLessThan(SIZE * 150);
      const diagnosis = diagnosisOf(
        items.map((item, index) => timelineItem(index, { item, id: text, kind: text })),
      );
      expect(sizeOf(diagnosisPage(diagnosis, { content: true }))).toBeLessThan(SIZE * 150);
      expect(describeDiagnosis(diagnosis, { paint, columns: 80, next: '' }).length).toBeLessThan(SIZE * 300);
      expect(responseIdsIn(text).length).toBeLessThan(SIZE);
    },
    LIMIT,
  );
});

describe('a history of many items is shown in a time that grows with their number', () => {
  const COUNT = 40_000;

  test(
    'a history of many items with every other lost is shown as a page in linear time',
    () => {
      const timeline = Array.from({ length: COUNT }, (_, index) =>
        index % 2 === 0 ? timelineItem(index) : lost(index),
      );
      expect(sizeOf(diagnosisPage(diagnosisOf(timeline)))).toBeLessThan(COUNT * 2000);
    },
    LIMIT,
  );

  test(
    'a ledger with a turn of very many items is shown as text in linear time',
    async () => {
      const ledger = memoryLedger();
      const items = Array.from({ length: 200_000 }, (): AgentInputItem => ({ role: 'user', content: 'x' }));
      await importItems({ ledger, sessionId: 's', items });
      const inspection = await inspectLedger(ledger, 's');
      expect(inspection?.turns).toHaveLength(1);
      const text = inspection && sizeOf(describeInspection(inspection, { ledger: 'memory', now: 0 }));
      expect(text).toBeGreaterThan(200_000);
    },
    LIMIT,
  );
});

test(
  'the simulator streams a long white space',
  async () => {
    const simulator = createSimulatorCore({ respond: () => ' '.repeat(SIZE) });
    const answer = await simulator.fetch('http://127.0.0.1/v1/responses', {
      method: 'POST',
      headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-5.4', input: 'hi', stream: true }),
    });
    expect((await answer.text()).length).toBeGreaterThan(SIZE);
  },
  LIMIT,
);
