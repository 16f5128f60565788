import { describe, expect, it } from 'vitest';
import { diagnosisPage, type Diagnosis, type TimelineItem } from '../../../src/doctor.ts';
import { itemContent } from '../../../src/doctor/html/item-content.ts';
import { itemRow } from '../../../src/doctor/html/item-row.ts';
import { caveats, overview } from '../../../src/doctor/html/overview.ts';
import { responseList } from '../../../src/doctor/html/response-list.ts';
import { timelineSection } from '../../../src/doctor/html/timeline-section.ts';
import { diagnosisOf, EVERYTHING, lost, timelineItem } from './sample-diagnosis.ts';

/** The texts of a page, in order. */
const texts = (html: string): string[] =>
  html
    .split(/<[^>]*>/)
    .map((text) => text.trim())
    .filter((text) => text !== '');

/** The classes of a page's elements, in order. */
const looks = (html: string): string[] =>
  Array.from(html.matchAll(/ class="([^"]*)"/g), ([, name = '']) => name);

const row = (item: TimelineItem, options: { content?: boolean; nextLost?: TimelineItem } = {}): string =>
  itemRow(item, { content: false, nextLost: undefined, ...options });

/** An item without ID, response and source. */
const bare = (more: Partial<TimelineItem>): TimelineItem =>
  timelineItem(0, { id: null, responseId: null, sources: [], ...more });

const timeline = (items: readonly TimelineItem[], content = false): string =>
  [...timelineSection(items, content)].join('');

const IN_LIST = 'In the list, at position';
const LOSS = ['In the list:', '✕', 'lost', '#1', 'Assistant', '✕', 'Lost'];
const REMOVED: Partial<TimelineItem> = { index: null, status: 'removed', positions: [9] };

describe('the row of an item', () => {
  it('a listed item stands in both lanes with its place, its ID and its source', () => {
    const html = row(timelineItem(0, { id: 'msg_0' }));
    expect(html).toMatch(/^<li class="row" id="item-0">.*<\/li>\n$/);
    expect(texts(html)).toEqual([IN_LIST, '0', 'User', '#0', 'User', 'msg_0', 'found in the list']);
    expect(looks(html)).toEqual(['row', 'slot', 'unseen', 'n', 'kind', 'card', 'title', 'no', 'where']);
  });

  it('a lost item leaves an empty place in the lane of the list', () => {
    const html = row(lost(1, { id: 'msg_1', responseId: 'resp_1', sources: [] }));
    expect(texts(html)).toEqual([
      ...LOSS,
      '∅',
      'Cannot be restored: no source holds it',
      'msg_1',
      'from response',
      'resp_1',
    ]);
    expect(looks(html)).toEqual([
      'row',
      'slot empty gone',
      'unseen',
      'card hurt',
      'title',
      'no',
      'badges',
      'bad',
      'bad',
      'where',
    ]);
  });

  it('a lost item names a loss once, also without the finding', () => {
    for (const findings of [['lost'], []] as const) {
      const html = row(lost(1, { id: null, responseId: null, findings, sources: [{ source: 'ledger' }] }));
      expect(texts(html)).toEqual([...LOSS, '↺', 'Can be restored', 'found in the ledger']);
    }
  });

  it.each([
    ['pending', 'not written yet', '…', 'Still to be written to the conversation'],
    ['local', 'never written', '⌂', 'In the ledger only'],
  ] as const)('an item that is %s leaves a place that hurts nothing', (status, absence, mark, word) => {
    const html = row(bare({ status, positions: [] }));
    expect(texts(html)).toEqual(['In the list:', absence, '#0', 'User', mark, word]);
    expect(looks(html)).toEqual(['row', 'slot empty', 'unseen', 'card', 'title', 'no', 'badges', 'quiet']);
  });

  it('a removed item has a place in the list and none in the history', () => {
    const html = row(bare(REMOVED));
    expect(html).toMatch(/^<li class="row"><div class="slot">/);
    expect(texts(html)).toEqual([
      IN_LIST,
      '9',
      'User',
      'User',
      '−',
      'Removed from the history, still in the list',
    ]);
    expect(looks(html)).toContain('card none');
    expect(looks(html)).not.toContain('no');
  });

  it.each([
    ['lost', 'bad', ['✕', 'Lost']],
    ['duplicated', 'warn', ['⧉', 'More than once in the list']],
    ['reordered', 'warn', ['⇅', 'At another place in the list']],
    ['foreign', 'warn', ['⇤', 'Put there by another writer']],
    ['altered', 'warn', ['≠', 'Altered in the list']],
  ] as const)('a listed item bears its finding: %s', (finding, tone, words) => {
    const html = row(bare({ findings: [finding], positions: [3, 7] }));
    expect(texts(html)).toEqual([IN_LIST, '3, 7', 'User', '#0', 'User', ...words]);
    expect(looks(html).slice(-2)).toEqual(['badges', tone]);
  });

  it('an item without a finding, an ID and a source has no badge and no facts', () => {
    expect(looks(row(bare({})))).toEqual(['row', 'slot', 'unseen', 'n', 'kind', 'card', 'title', 'no']);
  });

  it('a source names its response, unless it is the response of the item', () => {
    const sources = [
      { source: 'response', responseId: 'resp_1' },
      { source: 'response', responseId: 'resp_2' },
      { source: 'chain', responseId: 'resp_1' },
      { source: 'list' },
    ] as const;
    const html = row(timelineItem(1, { id: null, responseId: 'resp_1', sources }));
    expect(html).toContain(
      '<p class="where">from response <code>resp_1</code><br>' +
        'found in that response, response <code>resp_2</code>, the input of <code>resp_1</code>, the list</p>',
    );
  });

  it('a lost item links the next loss, and an item in the list does not', () => {
    const link = '<a class="next" href="#item-5">Next loss: item 5 ↓</a>';
    expect(row(lost(1), { nextLost: lost(5) })).toContain(link);
    expect(row(timelineItem(1), { nextLost: lost(5) })).not.toContain('Next loss');
    expect(row(lost(1))).not.toContain('Next loss');
  });

  it('a row names the tool and shows content only with the option', () => {
    const call = timelineItem(0, {
      kind: 'function_call',
      item: { type: 'function_call', callId: 'call_1', name: 'get_weather', arguments: '{}' },
    });
    expect(texts(row(call)).slice(2, 5)).toEqual(['Function call', '#0', 'Function call']);
    const shown = row(call, { content: true });
    expect(shown).toContain('<h4>Call of <code>get_weather</code></h4>');
    expect(shown).toContain('<pre dir="auto"><code>{}</code></pre>');
    expect(row(timelineItem(0), { content: true })).toContain('<h4>User</h4>');
    const missing = row(timelineItem(0, { item: undefined as never }), { content: true });
    expect(looks(missing)).not.toContain('content');
  });
});

const message = (content: string | Record<string, unknown>[]): string =>
  itemContent({ role: 'user', content } as never);

describe('the content of an item', () => {
  it('content without a block says so', () => {
    expect(message([])).toBe('<div class="content"><p class="label">Nothing in it.</p></div>');
  });

  it('content shows text, labels, code, media and notes each in its form', () => {
    expect(message('a < b')).toBe(
      '<div class="content"><div><div class="said" dir="auto">a &lt; b</div></div></div>',
    );
    const refusal = itemContent({
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'refusal', refusal: 'no' }],
    });
    expect(refusal).toBe(
      '<div class="content"><div><p class="label">Refusal</p><div class="said" dir="auto">no</div></div></div>',
    );
    const note = itemContent({ type: 'compaction', encrypted_content: 'x' } as never);
    expect(note).toBe('<div class="content"><p class="label">What came before, encrypted.</p></div>');
    const media = message([
      { type: 'input_file', file: { id: 'file_1' }, filename: '<a>.pdf' },
      { type: 'input_text', text: 'see' },
    ]);
    expect(texts(media)).toEqual(['file', '&lt;a&gt;.pdf', 'file_1', 'see']);
    expect(looks(media)).toEqual(['content', 'media', 'said']);
  });

  it('content of up to 1,500 characters is not folded', () => {
    expect(message('x'.repeat(1500))).not.toContain('<details>');
    const long = message('x'.repeat(1501));
    expect(long).toBe(
      `<div class="content"><div><div class="said" dir="auto">${'x'.repeat(1500)}</div>` +
        '<details><summary>1 characters more</summary><div class="said" dir="auto">x</div></details></div></div>',
    );
  });

  it('content of more than 40,000 characters is cut, and the rest is counted', () => {
    expect(message('x'.repeat(40_000))).not.toContain('agents-hybrid-session export');
    const html = message('x'.repeat(41_234));
    expect(texts(html)).toEqual([
      'x'.repeat(1500),
      '39,734 characters more',
      'x'.repeat(38_500),
      '1,234 characters more: agents-hybrid-session export writes them all.',
    ]);
  });

  it('a fold splits no pair of surrogates', () => {
    const before = 'x'.repeat(1499);
    expect(texts(message(`${before}\u{1F600}y`))).toEqual([before, '3 characters more', '\u{1F600}y']);
    expect(texts(message(`${before}y\u{1F600}`))).toEqual([`${before}y`, '2 characters more', '\u{1F600}']);
    for (const last of ['\uE000', '\uFFFD'])
      expect(texts(message(`${before}${last}y`))).toEqual([`${before}${last}`, '1 characters more', 'y']);
  });

  it('a reference to media is cut behind 300 characters', () => {
    const host = 'https://host.test/';
    const image = (length: number): string =>
      texts(message([{ type: 'input_image', image: host.padEnd(length, 'x') }])).at(-1) ?? '';
    expect(image(300)).toBe(host.padEnd(300, 'x'));
    expect(image(301)).toBe(`${host.padEnd(300, 'x')}…`);
  });
});

describe('the timeline of a page', () => {
  it('a timeline without an item says so instead of the lanes', () => {
    expect(texts(timeline([]))).toEqual(['Timeline', 'No item is known to belong to this conversation.']);
    expect(looks(timeline([]))).toEqual([]);
  });

  it('a timeline has a section for each turn, with its items and its losses', () => {
    const items = [timelineItem(0), lost(1), lost(2, { turn: 1 }), timelineItem(3, { turn: 2 })];
    const html = timeline(items);
    expect(html.match(/<section class="turn".*/g)).toEqual([
      '<section class="turn" aria-labelledby="turn-0"><div class="head"><h3 id="turn-0">Turn 1</h3><p>3 items, 2 lost</p></div>',
      '<section class="turn" aria-labelledby="turn-3"><div class="head"><h3 id="turn-3">Turn 2</h3><p>1 item</p></div>',
    ]);
    expect(texts(html).slice(0, 3)).toEqual(['Timeline', 'List', 'History']);
    expect(html.match(/<li class="row"/g)).toHaveLength(4);
    expect(html.match(/<section/g)).toHaveLength(3);
    expect(html.match(/<\/section>\n/g)).toHaveLength(3);
    expect(html.match(/<ol class="items">/g)).toHaveLength(2);
    expect(html.match(/<\/ol>/g)).toHaveLength(2);
  });

  it('each loss links the next one, over turns', () => {
    const items = [lost(0), timelineItem(1), lost(2), timelineItem(3), lost(4), timelineItem(5)];
    const next = Array.from(timeline(items).matchAll(/class="next" href="([^"]*)"/g), ([, href]) => href);
    expect(next).toEqual(['#item-2', '#item-4']);
  });

  it('only a timeline of more than 400 items is drawn as a long one', () => {
    const items = Array.from({ length: 401 }, (_, index) => timelineItem(index, { turn: 1 }));
    expect(timeline(items.slice(1))).toMatch(/^<section aria-labelledby="timeline">/);
    expect(timeline(items)).toMatch(/^<section class="long" aria-labelledby="timeline">/);
  });

  it('a timeline shows content only with the option', () => {
    expect(timeline([timelineItem(0)], true)).toContain('what item 0 says');
    expect(timeline([timelineItem(0)])).not.toContain('what item 0 says');
  });
});

const rectangles = (html: string): string[] =>
  Array.from(
    html.matchAll(/<rect class="(\w+)" y="(\d+)" x="([\d.]+)" width="([\d.]+)" height="9"\/>/g),
    (found) => found.slice(1).join(' '),
  );

const counts = (diagnosis: Diagnosis): string[] =>
  Array.from(overview(diagnosis).matchAll(/<dt>(.*?)<\/dt><dd>(.*?)<\/dd>/g), (found) =>
    found.slice(1).join(': '),
  );

const links = (items: readonly TimelineItem[]): string[] =>
  Array.from(overview(diagnosisOf(items)).matchAll(/<li><a href="(.*?)">(.*?)<\/a>/g), (found) =>
    found.slice(1).join(' '),
  );

describe('the overview of a page', () => {
  it.each([
    [
      'whole',
      'good',
      ['✓', 'Whole'],
      'The list shows every item that is known to belong to this conversation.',
    ],
    [
      'repairable',
      'warn',
      ['↺', 'Damaged, can be repaired'],
      'The list has lost items or shows them wrongly, and every one of them can be restored.',
    ],
    [
      'unrecoverable',
      'bad',
      ['✕', 'Damaged, cannot be repaired completely'],
      'Something is missing, and no given source holds it.',
    ],
    [
      'unknown',
      'quiet',
      ['?', 'Could not tell'],
      'The given sources are not enough to tell whether the list is whole.',
    ],
  ] as const)('the verdict %s has a tone, a mark and a sentence', (verdict, tone, words, sentence) => {
    const html = overview(diagnosisOf([], { verdict, conversationId: 'conv_1', askedFor: 'conv_1' }));
    expect(texts(html).slice(0, 6)).toEqual([
      'The list, and the history that belongs to it',
      'Conversation',
      'conv_1',
      ...words,
      sentence,
    ]);
    expect(looks(html).slice(0, 3)).toEqual(['over', `verdict ${tone}`, 'mark']);
  });

  it('the numbers count the items of the history, of the list, and the losses', () => {
    expect(counts(diagnosisOf(EVERYTHING.timeline, { length: 1234 }))).toEqual([
      'belong here: 1,234',
      'in the list: 6',
      'lost: 2',
      'can be restored: 1',
    ]);
  });

  it('a number that no source gives is not known', () => {
    expect(counts(diagnosisOf(EVERYTHING.timeline, { evidence: 'list', listed: null, lost: null }))).toEqual([
      'belong here: not known',
      'in the list: gone',
      'lost: not known',
      'can be restored: not known',
    ]);
  });

  it('the strip shows the list above the history, with a gap for each loss', () => {
    const html = overview(
      diagnosisOf([
        timelineItem(0),
        lost(1),
        timelineItem(2, { status: 'pending' }),
        timelineItem(3, REMOVED),
      ]),
    );
    expect(html).toContain('<svg class="strip" viewBox="0 0 3 23"');
    expect(rectangles(html)).toEqual([
      'list 1 0.075 0.85',
      'history 13 0.075 0.85',
      'gap 1 1.075 0.85',
      'gone 13 1.075 0.85',
      'history 13 2.075 0.85',
    ]);
    expect(texts(html)).toContain(
      'Above: the list. Below: the history, from the first item to the last. A gap is a loss.',
    );
    expect(overview(diagnosisOf([timelineItem(0, REMOVED)]))).not.toContain('<svg');
  });

  it('the strip of more than 150 items joins equal neighbours', () => {
    const items = Array.from({ length: 151 }, (_, index) =>
      index < 100 ? lost(index) : timelineItem(index),
    );
    expect(rectangles(overview(diagnosisOf(items)))).toEqual([
      'gap 1 0 100',
      'gone 13 0 100',
      'list 1 100 51',
      'history 13 100 51',
    ]);
    expect(rectangles(overview(diagnosisOf(items.slice(1))))).toHaveLength(300);
  });

  it('the first loss is linked, and each section', () => {
    const sections = ['#evidence Evidence', '#timeline Timeline', '#responses Responses'];
    expect(links([timelineItem(0), lost(1), lost(2)])).toEqual(['#item-1 First loss: item 1', ...sections]);
    expect(links([timelineItem(0)])).toEqual(sections);
  });
});

describe('the evidence of a page', () => {
  it.each([
    ['ledger', 'the ledger'],
    ['ledger_and_responses', 'the ledger and responses'],
    ['responses', 'responses'],
    ['list', 'no other source'],
  ] as const)('the evidence %s is named with the digest', (evidence, words) => {
    const html = caveats(diagnosisOf([], { evidence, digest: 'abc', caveats: [] }));
    expect(html).toContain(
      `<p>The list was compared with ${words}. Digest of the whole history: <code>abc</code></p></section>`,
    );
  });

  it.each([
    [
      'no_evidence',
      1,
      'There is nothing to compare the list with. Give a ledger, or responses of this conversation.',
    ],
    ['before_first', 1, 'Losses before the oldest readable response are not known.'],
    ['unaccounted', 1, 'No response accounts for 1 item of the list, so their neighbours may be lost.'],
    [
      'unaccounted',
      1200,
      'No response accounts for 1,200 items of the list, so their neighbours may be lost.',
    ],
    ['unanswered', 2, '2 items (messages or tool calls) have no known answer.'],
    ['lone_reasoning', 2, '2 items of reasoning have no output after them: it was lost.'],
    ['response_missing', 1, '1 response could not be read any more.'],
    ['response_missing', 1200, '1,200 responses could not be read any more.'],
    [
      'response_unknown',
      2,
      '2 responses that you named could not be read, and nothing says that they belong here.',
    ],
    ['unproven', 3, '3 items were adopted from a list without proof: its earlier losses are not known.'],
    ['ledger_empty', 1, 'The ledger does not know this conversation.'],
    ['list_gone', 1, 'The conversation itself no longer exists.'],
  ] as const)('the caveat %s of %i is a sentence', (kind, count, sentence) => {
    const html = caveats(diagnosisOf([], { caveats: [{ kind, count, indexes: [] }] }));
    expect(html).toContain(`<ul><li>${sentence}</li></ul></section>`);
  });

  it('each caveat is one entry of the list', () => {
    const two = ['ledger_empty', 'list_gone'] as const;
    const html = caveats(diagnosisOf([], { caveats: two.map((kind) => ({ kind, count: 1, indexes: [] })) }));
    expect(html.match(/<li>.*?<\/li>/g)).toHaveLength(2);
    expect(html).toContain('</li><li>');
  });
});

const response = (id: string) => ({ id, status: 'used', from: 'given', parent: null, time: null }) as const;

describe('the responses of a page', () => {
  it.each([
    ['used', 'part of the conversation'],
    ['missing', 'no longer there'],
    ['unfinished', 'not finished'],
    ['failed', 'failed or cancelled'],
    ['elsewhere', 'belongs to another conversation'],
    ['unrelated', 'shares nothing with this conversation'],
    ['superseded', 'has another answer here: a retry or a branch'],
    ['unrecorded', 'not in the ledger'],
  ] as const)('a response that is %s is described', (status, words) => {
    expect(texts(responseList([{ ...response('resp_1'), status }]))).toEqual(['Responses', 'resp_1', words]);
  });

  it('a response shows its time and its parent', () => {
    const html = responseList([{ ...response('resp_2'), parent: 'resp_1', time: 0 }, response('resp_3')]);
    expect(html).toContain(
      '<ul class="plain"><li><code>resp_2</code><br><span class="where">' +
        'part of the conversation · made 1970-01-01 00:00:00 UTC · continues <code>resp_1</code></span></li>\n<li>',
    );
  });

  it('more than 20 responses are folded, and none has a sentence', () => {
    const many = Array.from({ length: 21 }, (_, at) => response(`resp_${at}`));
    expect(responseList(many)).toContain('<details><summary>21 responses</summary><ul class="plain">');
    expect(responseList(many.slice(1))).not.toContain('<details>');
    expect(texts(responseList([]))).toEqual(['Responses', 'No response was read.']);
    expect(responseList([])).not.toContain('<ul');
  });
});

const pageOf = (options?: { content: boolean }): string => [...diagnosisPage(EVERYTHING, options)].join('');

describe('the frame of a page', () => {
  it('a page allows its own style and nothing else', () => {
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(pageOf()) ?? [];
    expect(policy.replaceAll('&#39;', "'")).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'; form-action 'none'$/,
    );
    expect(pageOf()).toContain('<style>\n:root');
  });

  it('a page names the conversation, and ends with a word on its content', () => {
    const { conversationId: id } = EVERYTHING;
    expect(texts(pageOf())).toContain(`Conversation ${id}`);
    expect(texts(pageOf()).slice(-3)).toEqual([
      'The content is not shown.',
      'agents-hybrid-session doctor --html FILE --content',
      'shows it.',
    ]);
    expect(texts(pageOf({ content: true })).at(-1)).toBe(
      'This page shows the content of the conversation: handle it accordingly.',
    );
  });
});
