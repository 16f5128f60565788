import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { micromark } from 'micromark';
import { describe, expect, it } from 'vitest';
import { toMarkdown } from '../../src/index.ts';
import { escapeControls } from '../../src/util/escape-controls.ts';
import { anyText } from '../support/content.ts';
import { anyHistory } from '../support/items.ts';

const written = (items: readonly AgentInputItem[], title?: string): string =>
  [...toMarkdown(items, title)].join('');

/** As a reader that lets everything through shows it. */
const shown = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, allowDangerousProtocol: true });

const unescaped = (html: string): string =>
  html.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** Without white space. */
const bare = (text: string): string => text.replaceAll(/\s+/g, '');

/** Content as it stands in Markdown: with lines of one kind, and with what a terminal obeys as escapes. */
const visible = (text: string): string => escapeControls(text.replaceAll(/\r\n?/g, '\n'), { lines: true });

const user = (content: string): AgentInputItem => ({ role: 'user', content });

describe('toMarkdown', () => {
  it('toMarkdown says who said what, what was called, and what came back', () => {
    const items: AgentInputItem[] = [
      { role: 'system', content: 'Be brief.' },
      user('What is the weather in Paris?'),
      { type: 'reasoning', content: [{ type: 'input_text', text: 'They ask about Paris.' }] },
      { type: 'function_call', callId: 'call_1', name: 'get_weather', arguments: '{"city":"Paris"}' },
      {
        type: 'function_call_result',
        callId: 'call_1',
        name: 'get_weather',
        status: 'completed',
        output: 'sunny in Paris',
      },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [
          { type: 'output_text', text: 'Sunny.' },
          { type: 'refusal', refusal: 'No more.' },
        ],
      },
    ];
    expect(written(items, 'conv_1')).toBe(`# conv\\_1

## 1. System

Be brief.

## 2. User

What is the weather in Paris?

## 3. Reasoning

They ask about Paris.

## 4. Call of \`get_weather\`

call \`call_1\`

Arguments:

\`\`\`json
{
  "city": "Paris"
}
\`\`\`

## 5. Result of \`get_weather\`

call \`call_1\`

sunny in Paris

## 6. Assistant

ID \`msg_1\`

Sunny.

Refusal:

No more.
`);
  });

  it('toMarkdown says what media are and where, and does not hold them', () => {
    const markdown = written([
      {
        role: 'user',
        content: [
          { type: 'input_image', image: 'https://pictures.test/a.png' },
          { type: 'input_image', image: { id: 'file-1' } },
          { type: 'input_image', image: `data:image/png;base64,${'A'.repeat(4000)}` },
          { type: 'input_file', file: `data:application/pdf;base64,QUJD`, filename: 'a `b`.pdf' },
          { type: 'audio', audio: 'QUJDRA==', format: 'mp3' },
        ],
      },
      {
        type: 'computer_call_result',
        callId: 'call_1',
        output: { type: 'computer_screenshot', data: `data:image/png;base64,${'A'.repeat(4000)}` },
      },
      {
        type: 'hosted_tool_call',
        name: 'image_generation_call',
        output: `data:image/png;base64,${'A'.repeat(4000)}`,
      },
    ]);
    expect(markdown.split('\n').filter((line) => line.startsWith('- '))).toEqual([
      '- image: `https://pictures.test/a.png`',
      '- image: `file-1`',
      '- image: `embedded image/png, 3,000 bytes`',
      '- file `` a `b`.pdf ``: `embedded application/pdf, 3 bytes`',
      '- audio: `embedded, 4 bytes`',
      '- image: `embedded image/png, 3,000 bytes`',
    ]);
    expect(markdown).toContain('embedded image/png, 3,000 bytes\n```');
    expect(markdown).not.toContain('AAAA');
  });

  it('toMarkdown keeps the lines and the code of an answer', () => {
    const answer = [
      'Two steps:',
      '',
      '1. Run this',
      '   ```bash',
      '   npm i  # all of it',
      '     --deep',
      '   ```',
      '2. *Not* bold, a_b_c, <b>, [x](y), `code` & more',
      '    indented',
      '',
      '~~~~',
      '```',
      '~~~',
      '~~~~',
      'end',
    ].join('\n');
    const markdown = written([user(answer)]);
    expect(markdown).toContain('```bash\nnpm i  # all of it\n  --deep\n```');
    expect(markdown).toContain('````\n```\n~~~\n````');
    const text = unescaped(shown(markdown).replaceAll(/<[^>]*>/g, ''));
    expect(text).toContain(
      '2. *Not* bold, a_b_c, <b>, [x](y), `code` & more\n\u00A0\u00A0\u00A0\u00A0indented',
    );
    expect(shown(markdown).match(/<br \/>/g)).toHaveLength(1);
  });

  it('toMarkdown stays whole whatever the content says', () => {
    const hostile = [
      '```\n# not a heading\n```',
      '~~~~\n````\n<script>alert(1)</script>\n<!--',
      '`````````` # x\n\n[a]: javascript:alert(1)\n![](http://tracker.test/p.png)\n<https://tracker.test>',
      'a\r```\r# b\r\n```\r\n# c\nSetext\n===\n---\n> quote\n- list\n1) list\n***\n\tcode',
      '\\<b>\\\\<i>\\',
    ];
    const html = shown(written(hostile.map((text) => user(text))));
    expect(html.match(/<h\d>/g)).toEqual(['<h1>', ...hostile.map(() => '<h2>')]);
    expect(html).not.toMatch(/<(?:script|img|!--|a|b|i|hr|ul|ol|blockquote|em|strong)\b/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(html).toContain('\\&lt;b&gt;\\\\&lt;i&gt;\\');
  });

  it('toMarkdown lets no name of a field, a tool or a type make a heading, a list, a fence or a tag', () => {
    const forged = [
      'x\n\n# Forged',
      'x\n\n- Forged',
      'x\n\n```\nForged',
      'x\n\n<h1>Forged</h1>',
      'x\r\r# Forged',
    ];
    const items = forged.flatMap((name) => [
      { type: name, [name]: 'value' },
      { type: 'hosted_tool_call', name, providerData: { type: name, [name]: 1 }, [name]: { [name]: 1 } },
      { type: 'function_call', callId: name, id: name, name, arguments: '{}' },
    ]) as unknown as AgentInputItem[];
    const html = shown(written(items, forged.join('')));
    expect(html.match(/<h\d>/g)).toEqual(['<h1>', ...items.map(() => '<h2>')]);
    expect(html).not.toMatch(/<(?!\/?(?:h1|h2|p|pre|code|em)\b)[a-z!/]/i);
    expect(html.match(/<pre>/g)).toHaveLength(forged.length * 4);
  });

  it('toMarkdown holds nothing that a terminal obeys, whatever any text of an item says', () => {
    const hostile = '\u001B]0;title\u0007 \u009B31m \u202Edesrever \u2066 \u200Fx \u2028y';
    const items = [
      user(hostile),
      user(`\`\`\`\n${hostile}\n\`\`\``),
      { type: 'function_call', callId: hostile, id: hostile, name: hostile, arguments: hostile },
      { type: hostile, [hostile]: hostile },
    ] as unknown as AgentInputItem[];
    const markdown = written(items, hostile);
    expect(markdown).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(shown(markdown)).toContain('\\u001b]0;title\\u0007');
  });

  it('toMarkdown says every text, whatever it is, and nothing else', () => {
    const nasty = fc.string({
      unit: fc.constantFrom(
        '`',
        '~',
        '\n',
        '#',
        ' ',
        '<',
        '[',
        ']',
        '(',
        '>',
        '-',
        '=',
        '1',
        '.',
        '*',
        '_',
        '\\',
        '&',
        '|',
        '!',
        'a',
        '\t',
      ),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(anyText, nasty)), (texts) => {
        const html = shown(written(texts.map((text) => user(text))));
        expect(html.match(/<h\d>/g)).toEqual(['<h1>', ...texts.map(() => '<h2>')]);
        expect(html).not.toMatch(/<(?!\/?(?:h1|h2|p|pre|code|br|em)\b)[a-z!/]/i);
        const said = bare(unescaped(html.replaceAll(/<[^>]*>/g, '')).replaceAll('Nothing.', ''));
        // Fences of the text are fences of the page.
        const expected = texts.map((text, at) =>
          bare(`${at + 1}. User${text.includes('```') || text.includes('~~~') ? '' : visible(text)}`),
        );
        for (const one of expected) expect(said).toContain(one);
      }),
      { seed: 20261129, numRuns: 500 },
    );
  });

  it('toMarkdown lets nothing of any item of any type out of its frame', () => {
    fc.assert(
      fc.property(anyHistory, fc.string({ unit: 'binary', maxLength: 20 }), (items, title) => {
        const html = shown(written(items, title));
        expect(html.match(/<h\d>/g)).toEqual(['<h1>', ...items.map(() => '<h2>')]);
        expect(html).not.toMatch(/<(?!\/?(?:h1|h2|p|pre|code|ul|li|em|br)\b)[a-z!/]/i);
      }),
      { seed: 20261129, numRuns: 200 },
    );
  });
});
