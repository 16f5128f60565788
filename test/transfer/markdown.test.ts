import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import { micromark } from 'micromark';
import { describe, expect, it } from 'vitest';
import { toMarkdown } from '../../src/index.ts';
import { anyText } from '../support/content.ts';
import { anyHistory } from '../support/items.ts';

const written = (items: readonly AgentInputItem[], title?: string): string =>
  [...toMarkdown(items, title)].join('');

/** As a reader that lets everything through shows it. */
const shown = (markdown: string): string =>
  micromark(markdown, { allowDangerousHtml: true, allowDangerousProtocol: true });

const user = (content: string): AgentInputItem => ({ role: 'user', content });

describe('toMarkdown', () => {
  it('says who said what, what was called, and what came back', () => {
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

\`\`\`text
Be brief.
\`\`\`

## 2. User

\`\`\`text
What is the weather in Paris?
\`\`\`

## 3. Reasoning

\`\`\`text
They ask about Paris.
\`\`\`

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

\`\`\`text
sunny in Paris
\`\`\`

## 6. Assistant

ID \`msg_1\`

\`\`\`text
Sunny.
\`\`\`

Refusal:

\`\`\`text
No more.
\`\`\`
`);
  });

  it('says what media are and where, and does not hold them', () => {
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

  it('stays whole whatever the content says', () => {
    const hostile = [
      '```\n# not a heading\n```',
      '~~~~\n````\n<script>alert(1)</script>\n<!--',
      '`````````` # x\n\n[a]: javascript:alert(1)\n![](http://tracker.test/p.png)',
      'a\r```\r# b\r\n```\r\n# c',
    ];
    const html = shown(written(hostile.map((text) => user(text))));
    expect(html.match(/<h\d>/g)).toEqual(['<h1>', '<h2>', '<h2>', '<h2>', '<h2>']);
    expect(html).not.toMatch(/<script|<img|<!--|<a /);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('shows any text as it is, in the frame that it came in', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            anyText,
            fc.string({ unit: fc.constantFrom('`', '~', '\n', '#', ' ', '<', '[', '>', '-') }),
          ),
        ),
        (texts) => {
          const html = shown(written(texts.map((text) => user(text))));
          expect(html.match(/<h2>/g)?.length ?? 0).toBe(texts.length);
          expect(html.match(/<pre>/g)?.length ?? 0).toBe(texts.length);
          expect(
            html.replaceAll(/<\/?(?:h1|h2|pre)>|<code class="language-text">|<\/code>/g, ''),
          ).not.toMatch(/<[a-z!/]/i);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('lets nothing of any item of any type out of its frame', () => {
    fc.assert(
      fc.property(anyHistory, fc.string({ unit: 'binary', maxLength: 20 }), (items, title) => {
        const html = shown(written(items, title));
        expect(html.match(/<h\d>/g)).toEqual(['<h1>', ...items.map(() => '<h2>')]);
        expect(html).not.toMatch(/<(?!\/?(?:h1|h2|p|pre|code|ul|li|em)\b)[a-z!/]/i);
      }),
      { numRuns: 200 },
    );
  });
});
