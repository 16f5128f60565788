import type { AgentInputItem } from '@openai/agents';
import type { Diagnosis, TimelineItem } from '../../../src/doctor.ts';

/** Texts that try to break a page. */
export const HOSTILE: readonly string[] = [
  '</script><script>window.hacked = 1</script>',
  '"><img src=x onerror="window.hacked = 1">',
  "' onmouseover='window.hacked = 1' x='",
  '</div></li></ol></section></main><h1>Not a heading of ours</h1><!--',
  '</style><style>body{display:none}</style>',
  '<a href="javascript:window.hacked = 1">click</a><iframe src="https://tracker.test/"></iframe>',
  '<meta http-equiv="refresh" content="0;url=https://tracker.test/"><base href="https://tracker.test/">',
  '&lt;b&gt; &amp; &#60;script&#62;',
  'abc\u202Efed\u202C \u2066x\u2069 zero\u200Bwidth\u2060 nul\0 esc\u001B[2J half \uD83D',
];

const RESPONSE = 'resp_0a078179d9b42482006ab4e13146c88190b9a99003e9388b38';

const said = (role: 'user' | 'assistant', text: string, id: string): AgentInputItem =>
  role === 'user'
    ? { role, id, content: [{ type: 'input_text', text }] }
    : { type: 'message', role, id, status: 'completed', content: [{ type: 'output_text', text }] };

/** An item of a timeline. */
export function timelineItem(index: number, more: Partial<TimelineItem> = {}): TimelineItem {
  const role = index % 2 === 0 ? 'user' : 'assistant';
  const id = `msg_0a078179d9b42482006ab4e13146c88190b9a99003e9388${String(index).padStart(4, '0')}`;
  return {
    index,
    id,
    kind: `message:${role}`,
    status: 'listed',
    positions: [index],
    findings: [],
    turn: Math.floor(index / 2) + 1,
    responseId: role === 'user' ? null : RESPONSE,
    sources: [{ source: 'list' }],
    item: said(role, `what item ${index} says`, id),
    ...more,
  };
}

/** An item that the list has lost. */
export const lost = (index: number, more: Partial<TimelineItem> = {}): TimelineItem =>
  timelineItem(index, {
    status: 'lost',
    positions: [],
    findings: ['lost'],
    sources: [{ source: 'response', responseId: RESPONSE }],
    ...more,
  });

const CONVERSATION = 'conv_6ab66ff4558481978754b80122351c000d32e39f9bc8e199';

/** A diagnosis with these items. */
export function diagnosisOf(timeline: readonly TimelineItem[], more: Partial<Diagnosis> = {}): Diagnosis {
  return {
    conversationId: CONVERSATION,
    askedFor: CONVERSATION,
    verdict: 'repairable',
    evidence: 'ledger_and_responses',
    length: timeline.filter(({ index }) => index !== null).length,
    listed: timeline.filter(({ status }) => status === 'listed').length,
    lost: timeline.filter(({ status }) => status === 'lost').length,
    digest: 'kT3Z0w9cBq3yW1m0bYl8o0QnYJ4h1cQb5v7Qk9m2xXs',
    timeline,
    findings: [],
    responses: [{ id: RESPONSE, status: 'used', from: 'given', parent: null, time: 1_790_239_025_000 }],
    caveats: [{ kind: 'response_missing', count: 2, indexes: [] }],
    ...more,
  };
}

/** Everything that can be wrong with a conversation, and a tool call. */
export const EVERYTHING: Diagnosis = diagnosisOf(
  [
    timelineItem(0),
    lost(1),
    timelineItem(2, { findings: ['foreign'] }),
    timelineItem(3, {
      kind: 'function_call',
      item: { type: 'function_call', callId: 'call_1', name: 'get_weather', arguments: '{"city":"Paris"}' },
    }),
    timelineItem(4, {
      turn: 2,
      kind: 'function_call_result',
      item: {
        type: 'function_call_result',
        callId: 'call_1',
        name: 'get_weather',
        status: 'completed',
        output: [
          { type: 'input_text', text: 'sunny' },
          { type: 'input_image', image: 'data:image/png;base64,QUJD' },
        ],
      },
    }),
    lost(5, { sources: [], item: undefined as never }),
    timelineItem(6, { positions: [3, 7], findings: ['duplicated'] }),
    timelineItem(7, { positions: [2], findings: ['reordered', 'altered'] }),
    timelineItem(8, { status: 'pending', positions: [], sources: [{ source: 'ledger' }] }),
    timelineItem(9, { status: 'local', positions: [], sources: [{ source: 'ledger' }] }),
    { ...timelineItem(10), index: null, status: 'removed', positions: [9], turn: 5 },
  ],
  { verdict: 'unrecoverable' },
);

/** A conversation in which every text is hostile, the IDs among them. */
export const HOSTILE_DIAGNOSIS: Diagnosis = diagnosisOf(
  HOSTILE.map((text, index) =>
    timelineItem(index, {
      id: text,
      kind: text,
      responseId: text,
      sources: [{ source: 'chain', responseId: text }],
      item: { type: 'function_call', callId: text, name: text, arguments: text },
    }),
  ),
  {
    conversationId: HOSTILE.join(''),
    askedFor: HOSTILE.toReversed().join(''),
    responses: HOSTILE.map((id) => ({ id, status: 'used', from: 'given', parent: id, time: null })),
  },
);

/** Thousands of items, each third of them lost, some of them very long. */
export function longDiagnosis(count: number): Diagnosis {
  return diagnosisOf(
    Array.from({ length: count }, (_, index) => {
      const item = said(
        'assistant',
        `item ${index} ${'word '.repeat(index % 100 === 0 ? 20_000 : 20)}`,
        `msg_${index}`,
      );
      return index % 3 === 1 ? lost(index, { item }) : timelineItem(index, { item });
    }),
  );
}
