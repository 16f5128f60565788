import { describe, expect, it } from 'vitest';
import { base64Of } from '../../src/util/json.ts';
import { HybridSession } from '../../src/index.ts';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 31) % 256);

const MIB = 2 ** 20;

/** The size of the image, in MiB. */
const SIZE = 16;

/** The most memory that this process has had, in MiB. */
const most = (): number => process.resourceUsage().maxRSS / 1024;

describe('base64Of', () => {
  it('writes bytes of any length, and of a view only what it shows', () => {
    for (const length of [0, 1, 2, 3, 4, 255, 100_000]) {
      const text = base64Of(bytes(length));
      expect(Uint8Array.from(atob(text), (character) => character.codePointAt(0) ?? 0)).toEqual(
        bytes(length),
      );
    }
    expect(base64Of(bytes(10).subarray(3, 6))).toBe(base64Of(bytes(10).slice(3, 6)));
    expect(base64Of(Buffer.from('abc'))).toBe('YWJj');
  });
});

describe('bytes in items', () => {
  it('take a few times their size of memory, also when they are many', async () => {
    const session = new HybridSession({ mirror: 'off', sessionId: 's' });
    const image = new Uint8Array(SIZE * MIB);
    const before = most();
    await session.addItems([{ role: 'user', content: [{ type: 'input_image', image: image as never }] }]);
    // 40 bytes for each of theirs was too much: a hundred megabytes were more than a process has.
    expect(most() - before).toBeLessThan(SIZE * 16);
    expect(JSON.stringify(await session.getItems()).length).toBeGreaterThan(4 * Math.ceil((SIZE * MIB) / 3));
  });
});
