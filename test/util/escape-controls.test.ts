import { describe, expect, it, test } from 'vitest';
import { escapeControls, escapeJson, escapeTexts } from '../../src/util/escape-controls.ts';

describe('escapeControls', () => {
  it('escapeControls shows every control, separator, mark of direction, invisible character and half of a pair as an escape', () => {
    const ranges = [
      [0x00, 0x1f],
      [0x7f, 0x9f],
      [0xad, 0xad],
      [0x61c, 0x61c],
      [0x115f, 0x1160],
      [0x180e, 0x180e],
      [0x200b, 0x200b],
      [0x200e, 0x200f],
      [0x2028, 0x202e],
      [0x2060, 0x206f],
      [0x3164, 0x3164],
      [0xd800, 0xdfff],
      [0xfeff, 0xfeff],
      [0xffa0, 0xffa0],
      [0xfff9, 0xfffb],
      [0xe0000, 0xe007f],
    ] as const;
    const left: string[] = [];
    for (const [from, to] of ranges) {
      for (let code = from; code <= to; code += 1) {
        const shown = escapeControls(`a${String.fromCodePoint(code)}b`);
        if (!/^a(?:\\u[\da-f]{4}){1,2}b$/.test(shown)) left.push(code.toString(16));
      }
    }
    expect(left).toEqual([]);
  });

  it('escapeControls keeps every letter, sign and picture', () => {
    const text =
      'é ß ﷺ 名前 نمی\u200Cخواهم क\u094D\u200Dष \u{1F469}\u200D\u{1F4BB} \u2764\uFE0F\u200D\u{1F525} 1\uFE0F\u20E3 \u00A0';
    expect(escapeControls(text)).toBe(text);
  });

  it('escapeControls shows a joiner or a selector behind nothing that it could change', () => {
    expect(escapeControls('conv\u200D_1\uFE0F')).toBe('conv\\u200d_1\\ufe0f');
    expect(escapeControls('\u200Cx')).toBe('\\u200cx');
    expect(escapeControls('é\u200D\u200D\u200D')).toBe('é\u200D\\u200d\\u200d');
  });

  it('escapeControls keeps lines and tabs where a text may have them', () => {
    expect(escapeControls('a\n\tb\r', { lines: true })).toBe('a\n\tb\\u000d');
    expect(escapeControls('a\n\tb')).toBe('a\\u000a\\u0009b');
  });

  it('escapeControls takes as long as the text is', () => {
    const text = '\u001B\u200D'.repeat(1_000_000);
    expect(escapeControls(text)).toHaveLength(12_000_000);
  });
});

test('escaped JSON says the same', () => {
  const value = { 'a\u009B': 'b\u202E\u{E0041}\u2028\uD800', c: ['\u007F', 'e\u0301'] };
  const json = escapeJson(JSON.stringify(value, undefined, 2));
  expect(JSON.parse(json)).toEqual(value);
  expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u);
});

test('every text within data is escaped, and the data stays', () => {
  const data = { id: 'a\u0007', list: ['b\u001B', 1, null], deep: { at: undefined, kind: '\u202E' } };
  expect(escapeTexts(data)).toEqual({
    id: 'a\\u0007',
    list: ['b\\u001b', 1, null],
    deep: { at: undefined, kind: '\\u202e' },
  });
});
