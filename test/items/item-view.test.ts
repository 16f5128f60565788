import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { isForeignReasoning, withoutForeignFields } from '../../src/items/foreign-fields.ts';
import { titleOfKind, viewItem, type ItemBlock } from '../../src/items/item-view.ts';
import { itemType } from '../../src/items/item-types.ts';
import { mediaOf, shortenMedia } from '../../src/items/media-view.ts';

const view = (item: object) => viewItem(item as AgentInputItem);

/** The blocks of an item: label, text, and language of code. */
const blocks = (item: object): string[] =>
  view(item).blocks.map((block: ItemBlock) => {
    switch (block.type) {
      case 'text':
        return `text ${block.label ?? '-'}: ${block.text}`;
      case 'code':
        return `code ${block.label} (${block.language}): ${block.text}`;
      case 'media':
        return `media ${block.kind} ${block.name ?? '-'}: ${block.reference}`;
      default:
        return `note: ${block.text}`;
    }
  });

describe('the title of an item', () => {
  it.each([
    [{ role: 'user', content: 'hi' }, 'User', undefined],
    [{ type: 'message', role: 'assistant', content: [] }, 'Assistant', undefined],
    [{ type: 'message', role: 'system', content: 'hi' }, 'System', undefined],
    [{ type: 'message', role: 'critic', content: 'hi' }, 'critic', undefined],
    [{ type: 'function_call', name: 'look', arguments: '{}' }, 'Call of', 'look'],
    [{ type: 'function_call', name: 7, arguments: '{}' }, 'Call of', undefined],
    [{ type: 'function_call_result', name: 'look', output: '' }, 'Result of', 'look'],
    [{ type: 'hosted_tool_call', name: 'web_search_call' }, 'Hosted tool', 'web_search_call'],
    [{ type: 'reasoning', content: [], name: 'x' }, 'Reasoning', undefined],
    [{ type: 'unknown', providerData: { type: 'telepathy' } }, 'telepathy', undefined],
    [{ type: 'unknown', providerData: { type: '' } }, 'Unknown item', undefined],
    [{ type: 'unknown' }, 'Unknown item', undefined],
    [{ type: 'reasoning', content: [], providerData: { type: 'telepathy' } }, 'Reasoning', undefined],
    [{ type: 'brand_new', name: 'x' }, 'brand_new', undefined],
  ])('the title of %j is %s', (item, title, name) => {
    expect(view(item)).toMatchObject({ title });
    expect(view(item).name).toBe(name);
  });

  it.each([
    ['message:user', { title: 'User', name: undefined }],
    ['message:critic', { title: 'critic', name: undefined }],
    ['function_call', { title: 'Function call', name: undefined }],
    ['hosted_tool_call:web_search_call', { title: 'Hosted tool', name: 'web_search_call' }],
    ['brand_new', { title: 'brand_new', name: undefined }],
  ])('the title of the kind %s needs no content', (kind, title) => {
    expect(titleOfKind(kind)).toEqual(title);
  });

  it('a call and its result have an ID in common', () => {
    expect(view({ type: 'function_call', callId: 'call_1', arguments: '{}' }).callId).toBe('call_1');
    expect(view({ type: 'function_call', callId: 7, arguments: '{}' }).callId).toBeUndefined();
  });
});

const callOf = (args: unknown) => ({ type: 'function_call', name: 'look', arguments: args });

const resultOf = (output: unknown) => ({ type: 'function_call_result', name: 'look', output });

describe('the content of an item as people read it', () => {
  it('a message shows its text, its refusals, its media and any other part', () => {
    expect(blocks({ role: 'user', content: 'hi' })).toEqual(['text -: hi']);
    const content = [
      { type: 'input_text', text: 'see' },
      { type: 'refusal', refusal: 'no' },
      { type: 'refusal', refusal: 7 },
      { type: 'other', refusal: 'no' },
      { type: 'input_image', image: 'https://host.test/a.png' },
      'bare',
    ];
    expect(blocks({ role: 'user', content })).toEqual([
      'text -: see',
      'text Refusal: no',
      'code Content (json): {\n  "type": "refusal",\n  "refusal": 7\n}',
      'code Content (json): {\n  "type": "other",\n  "refusal": "no"\n}',
      'media image -: https://host.test/a.png',
      'code Content (): bare',
    ]);
    expect(blocks({ role: 'user', content: { type: 'input_text', text: 'one' } })).toEqual(['text -: one']);
  });

  it('a call shows its arguments, as JSON where they are', () => {
    expect(blocks(callOf('{"a":1}'))).toEqual(['code Arguments (json): {\n  "a": 1\n}']);
    expect(blocks(callOf('not json'))).toEqual(['code Arguments (): not json']);
    expect(blocks(callOf('data:image/png;base64,QUJD'))).toEqual([
      'code Arguments (): embedded image/png, 3 bytes',
    ]);
    expect(blocks(callOf(undefined))).toEqual(['code Arguments (json): ']);
  });

  it('a result shows its output', () => {
    expect(blocks(resultOf('sunny'))).toEqual(['text -: sunny']);
    expect(blocks(resultOf({ type: 'text', text: 'sunny' }))).toEqual(['text -: sunny']);
    expect(
      blocks({
        type: 'computer_call_result',
        output: { type: 'computer_screenshot', data: 'data:image/png;base64,QUJD' },
      }),
    ).toEqual(['media image -: embedded image/png, 3 bytes']);
  });

  it('reasoning shows its texts, and says where it is encrypted', () => {
    const content = [{ type: 'input_text', text: 'summary' }];
    const rawContent = [{ type: 'reasoning_text', text: 'thought' }];
    expect(blocks({ type: 'reasoning', content, rawContent })).toEqual([
      'text -: summary',
      'text -: thought',
    ]);
    for (const providerData of [{ encryptedContent: 'x' }, { encrypted_content: 'x' }])
      expect(blocks({ type: 'reasoning', content, providerData })).toEqual([
        'text -: summary',
        'note: Encrypted reasoning.',
      ]);
    expect(blocks({ type: 'reasoning', content: [], providerData: { encryptedContent: null } })).toEqual([]);
    expect(blocks({ type: 'compaction', encrypted_content: 'x' })).toEqual([
      'note: What came before, encrypted.',
    ]);
  });

  it('the output of a shell shows each stream that has text, and each outcome', () => {
    const outcome = { type: 'exit', exitCode: 1 };
    const shown = 'code Outcome (json): {\n  "type": "exit",\n  "exitCode": 1\n}';
    expect(
      blocks({
        type: 'shell_call_output',
        output: [
          { stdout: 'out', stderr: '', outcome },
          { stdout: '', stderr: 'err', outcome },
        ],
      }),
    ).toEqual(['code Output (): out', shown, 'code Errors (): err', shown]);
    expect(blocks({ type: 'shell_call_output', output: 'none' })).toEqual([]);
    expect(blocks({ type: 'shell_call_output', output: ['none'] })).toEqual(['code Outcome (json): ']);
    expect(blocks({ type: 'program', code: 'let a' })).toEqual(['code Code (js): let a']);
  });

  it('an item without rules of its own shows every field but those that identify it', () => {
    const identity = { id: 'x', callId: 'c', status: 'done', role: 'r', caller: {}, namespace: 'n' };
    expect(blocks({ ...identity, type: 'brand_new', name: 'x', a: [1], b: null, c: undefined })).toEqual([
      'code name (): x',
      'code a (json): [\n  1\n]',
    ]);
    expect(blocks({ type: 'hosted_tool_call', name: 'x', output: 'y' })).toEqual(['code output (): y']);
  });

  it('values of up to 20 levels are indented, and deeper ones are one line', () => {
    const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
    const lines = (levels: number): number =>
      (blocks({ type: 'brand_new', value: nested(levels) })[0] ?? '').split('\n').length;
    expect(lines(5)).toBeGreaterThan(1);
    expect(lines(15)).toBeGreaterThan(1);
    expect(lines(25)).toBe(1);
  });
});

const reference = (part: object): string | undefined => mediaOf({ type: 'input_image', ...part })?.reference;

describe('media', () => {
  it.each([
    ['input_image', 'image'],
    ['image', 'image'],
    ['computer_screenshot', 'image'],
    ['input_file', 'file'],
    ['file', 'file'],
    ['audio', 'audio'],
    ['input_audio', 'audio'],
  ])('a part of the type %s is of the kind %s', (type, kind) => {
    expect(mediaOf({ type })).toEqual({ kind, name: undefined, reference: 'not given' });
  });

  it('a part of another type is none', () => {
    expect(mediaOf({ type: 'input_text' })).toBeUndefined();
    expect(mediaOf({})).toBeUndefined();
  });

  it('a part has a name, its own or that of its file', () => {
    expect(mediaOf({ type: 'input_file', filename: 'a.pdf' })?.name).toBe('a.pdf');
    expect(mediaOf({ type: 'input_file', file: { filename: 'b.pdf' } })?.name).toBe('b.pdf');
    expect(mediaOf({ type: 'input_file', filename: '' })?.name).toBeUndefined();
  });

  it.each(['image', 'imageUrl', 'image_url', 'file', 'fileUrl', 'file_url', 'audio', 'url'])(
    'the address in %s is shown',
    (field) => {
      expect(reference({ [field]: 'https://host.test/x' })).toBe('https://host.test/x');
      expect(reference({ [field]: 'HTTP://host.test/x' })).toBe('HTTP://host.test/x');
      expect(reference({ [field]: 'file-1' })).toBe('file-1');
    },
  );

  it.each(['fileId', 'file_id', 'id'])('the ID in %s is shown', (field) => {
    expect(reference({ [field]: 'abc' })).toBe('abc');
  });

  it.each(['image', 'file', 'fileData', 'file_data', 'audio', 'data'])(
    'the data in %s are described by type and size',
    (field) => {
      expect(reference({ [field]: 'QUJD' })).toBe('embedded, 3 bytes');
      expect(reference({ [field]: 'QUI=' })).toBe('embedded, 2 bytes');
      expect(reference({ [field]: 'QQ==' })).toBe('embedded, 1 bytes');
      expect(reference({ [field]: 'QUJD', mediaType: 'image/png' })).toBe('embedded image/png, 3 bytes');
      expect(reference({ [field]: 'data:image/gif;base64,QUJD', mediaType: 'image/png' })).toBe(
        'embedded image/gif, 3 bytes',
      );
      expect(reference({ [field]: 'data:,QUJD' })).toBe('embedded, 3 bytes');
    },
  );

  it('a nested source is followed, with its own media type', () => {
    expect(reference({ image: { url: 'https://host.test/x' } })).toBe('https://host.test/x');
    expect(reference({ audio: { data: 'QUJD', mediaType: 'audio/wav' }, mediaType: 'x/y' })).toBe(
      'embedded audio/wav, 3 bytes',
    );
    expect(reference({ audio: { data: 'QUJD' }, mediaType: 'x/y' })).toBe('embedded x/y, 3 bytes');
    expect(reference({ image: {} })).toBe('not given');
  });

  it('an empty source is passed over, and the first other one counts', () => {
    expect(reference({ image: '', image_url: 'https://host.test/x', id: 'no' })).toBe('https://host.test/x');
    expect(reference({ image: 7, id: 'yes' })).toBe('yes');
  });

  it('only embedded data are shortened in a text', () => {
    expect(shortenMedia('data:text/plain;base64,QUJD')).toBe('embedded text/plain, 3 bytes');
    expect(shortenMedia('metadata:QUJD')).toBe('metadata:QUJD');
    expect(shortenMedia(`data:x/y,${'A'.repeat(4000)}`)).toBe('embedded x/y, 3,000 bytes');
  });
});

const isForeign = (more: object) => isForeignReasoning({ type: 'reasoning', content: [], ...more } as never);

describe('the fields that the API takes of a part', () => {
  it.each([
    ['input_text', ['prompt_cache_breakpoint']],
    ['input_image', ['prompt_cache_breakpoint']],
    ['input_file', ['detail', 'prompt_cache_breakpoint']],
    ['output_text', ['annotations', 'logprobs']],
    ['other', []],
  ])('a part of the type %s keeps the fields %j', (type, kept) => {
    const fields = ['detail', 'prompt_cache_breakpoint', 'annotations', 'logprobs', 'cacheControl'];
    const providerData = Object.fromEntries(fields.map((field) => [field, []]));
    const item = { type: 'message', role: 'user', content: [{ type, providerData }] } as never;
    const { content } = withoutForeignFields(item) as { content?: { providerData: object }[] };
    expect(Object.keys(content?.[0]?.providerData ?? {})).toEqual(
      fields.filter((field) => kept.includes(field)),
    );
  });

  it('reasoning is foreign without an ID of the API and without encrypted content', () => {
    expect(isForeign({})).toBe(true);
    expect(isForeign({ id: 'other_1' })).toBe(true);
    expect(isForeign({ id: 'rs_1' })).toBe(false);
    expect(isForeign({ providerData: { id: 'rs_1' } })).toBe(false);
    expect(isForeign({ providerData: { encrypted_content: 'x' } })).toBe(false);
    expect(isForeign({ providerData: { encryptedContent: 'x' } })).toBe(false);
    expect(isForeign({ providerData: { encryptedContent: '' } })).toBe(true);
    expect(isForeignReasoning({ type: 'message', role: 'user', content: 'x' })).toBe(false);
  });

  it.each([
    ['future_call_output', 'result'],
    ['future_result', 'result'],
    ['future_response', 'result'],
    ['future_output_call', 'output'],
    ['futureoutput', 'output'],
    ['future_call', 'output'],
  ])('a type that the table does not have says by its name what it is: %s', (name, role) => {
    expect(itemType(name)).toEqual({ role, takenBy: 'id' });
  });
});
