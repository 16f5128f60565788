import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeHtml } from '../../../src/doctor/html/escape-html.ts';
import { diagnosisPage, type DiagnosisPageOptions, type Diagnosis } from '../../../src/doctor.ts';
import { anyText } from '../../support/content.ts';
import { anyHistory } from '../../support/items.ts';
import {
  diagnosisOf,
  EVERYTHING,
  HOSTILE_DIAGNOSIS,
  longDiagnosis,
  timelineItem,
} from './sample-diagnosis.ts';

const page = (diagnosis: Diagnosis, options?: DiagnosisPageOptions): string =>
  [...diagnosisPage(diagnosis, options)].join('');

/** The names of a page's tags. */
const tags = (html: string): string[] =>
  Array.from(html.matchAll(/<(\/?[a-z!][\w-]*)/gi), ([, name = '']) => name);

describe('diagnosisPage', () => {
  it('diagnosisPage shows content only with the option', () => {
    expect(page(EVERYTHING)).not.toContain('what item');
    expect(page(EVERYTHING)).not.toContain('Paris');
    expect(page(EVERYTHING)).not.toContain('get_weather');
    const html = page(EVERYTHING, { content: true });
    expect(html).toContain('what item 0 says');
    expect(html).toContain('&quot;city&quot;: &quot;Paris&quot;');
    expect(html).toContain('embedded image/png, 3 bytes');
  });

  it('diagnosisPage holds no script, no picture and no address, and forbids them', () => {
    const html = page(EVERYTHING, { content: true });
    expect(html).toMatch(
      /<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-/,
    );
    expect(
      tags(html).filter((tag) => /^(?:script|img|link|iframe|object|embed|form|video|audio)$/i.test(tag)),
    ).toEqual([]);
    expect(html).not.toMatch(/<[^>]*\s(?:src|srcset|action|style|on\w+)=/);
    expect(html).not.toMatch(/url\(|@import|https?:/);
    for (const [, href = ''] of html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^#[\w-]+$/);
  });

  it('diagnosisPage names the session when another name was given', () => {
    const words = 'The session of <code>user-42</code> uses this conversation now.';
    expect(page(diagnosisOf([], { askedFor: 'user-42' }))).toContain(words);
    expect(page(diagnosisOf([]))).not.toContain('uses this conversation now');
  });

  it('diagnosisPage has the same tags for any text', () => {
    const harmless = diagnosisOf(
      HOSTILE_DIAGNOSIS.timeline.map((item) => ({
        ...item,
        id: 'x',
        kind: 'x',
        responseId: 'x',
        sources: [{ source: 'chain', responseId: 'x' }],
        item: { type: 'function_call', callId: 'x', name: 'x', arguments: 'x' },
      })),
      {
        askedFor: 'user-42',
        responses: HOSTILE_DIAGNOSIS.responses.map((one) => ({ ...one, id: 'x', parent: 'x' })),
      },
    );
    expect(tags(page(HOSTILE_DIAGNOSIS, { content: true }))).toEqual(tags(page(harmless, { content: true })));
  });

  it('diagnosisPage leaves out an invalid time', () => {
    const times = [1e300, Number.MAX_VALUE, -1e300, 8.64e15 + 1, Number.NaN, Number.POSITIVE_INFINITY];
    const responses = times.map((time, at) => ({
      id: `resp_${at}`,
      status: 'used' as const,
      from: 'given' as const,
      parent: null,
      time,
    }));
    const html = page(diagnosisOf([], { responses }));
    expect(html).not.toContain('made ');
    for (const { id } of responses) expect(html).toContain(id);
    expect(page(diagnosisOf([], { responses: responses.map((one) => ({ ...one, time: 0 })) }))).toContain(
      'made 1970-01-01 00:00:00 UTC',
    );
  });

  it('diagnosisPage shows any history', () => {
    fc.assert(
      fc.property(anyHistory, (items) => {
        const timeline = items.map((item, index) => timelineItem(index, { item, turn: 1 }));
        const html = page(diagnosisOf(timeline), { content: true });
        expect(html.match(/<li class="row"/g)?.length ?? 0).toBe(items.length);
        expect(tags(html).filter((tag) => /^(?:script|img|b|style)$/i.test(tag))).toEqual(['style']);
      }),
      { seed: 20261129, numRuns: 100 },
    );
  });

  it('diagnosisPage links every anchor to one existing element', () => {
    const html = page(EVERYTHING, { content: true });
    const ids = Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of html.matchAll(/(?:href="#|labelledby=")([^"]+)"/g))
      expect(ids).toContain(target);
  });

  it('diagnosisPage limits the size of long content', () => {
    const text = 'x'.repeat(5_000_000);
    const item = { role: 'user' as const, content: text };
    const html = page(diagnosisOf([timelineItem(0, { item })]), { content: true });
    expect(html.length).toBeLessThan(100_000);
    expect(html).toContain('4,960,000 characters more: agents-hybrid-session export writes them all.');
    const thousands = page(longDiagnosis(5000), { content: true });
    expect(thousands.match(/<li class="row"/g)).toHaveLength(5000);
    expect(thousands.length).toBeLessThan(10_000_000);
  });
});

describe('escapeHtml', () => {
  it('escapeHtml escapes markup and invisible characters', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", '\u202E', '\u200D', 'a') }),
        ),
        (text) => {
          const escaped = escapeHtml(text);
          expect(escaped).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
          for (const character of '\0\u001B\u009B\u200B\u200E\u202A\u202E\u2066\u2069\uFEFF\r')
            expect(escaped).not.toContain(character);
          expect(Buffer.from(escaped).toString()).toBe(escaped);
        },
      ),
    );
  });

  it('escapeHtml keeps joiners of letters and emoji, and shows useless ones', () => {
    expect(escapeHtml('\u{1F469}\u200D\u{1F4BB} نمی\u200Cخواهم')).toBe(
      '\u{1F469}\u200D\u{1F4BB} نمی\u200Cخواهم',
    );
    expect(escapeHtml('pass\u200Dword \u202E')).toBe('pass⟦U+200D⟧word ⟦U+202E⟧');
    expect(escapeHtml('a\tb\r\nc')).toBe('a\tb\nc');
  });
});
