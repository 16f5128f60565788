import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OpenAIConversationsSession } from '@openai/agents';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diagnose, diagnosisPage, type Diagnosis } from '../../../src/doctor.ts';
import { converse } from '../../flows/support/story.ts';
import { BROWSER, openBrowser, type OpenedBrowser } from '../../support/browser.ts';
import { simulated, simulatedRunner } from '../../support/simulated.ts';
import {
  contrasts,
  focused,
  headingLevels,
  inject,
  inventory,
  onPaper,
  outlineOf,
  widths,
} from './probes.mjs';
import { EVERYTHING, HOSTILE, HOSTILE_DIAGNOSIS, longDiagnosis } from './sample-diagnosis.ts';

const visible = (page: Page): Promise<string> => page.locator('body').innerText();

// Without a browser these are skipped, by name; scripts/with-servers.sh brings one.
describe.skipIf(BROWSER === undefined)('the page in a browser', () => {
  let folder = '';
  let browser: OpenedBrowser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Shown {
    readonly page: Page;
    /** Requests of the page, and lines of its console. */
    readonly noise: readonly string[];
  }

  async function show(
    diagnosis: Diagnosis,
    { content = false, width = 1000, dark = false, from = browser } = {},
  ): Promise<Shown> {
    const path = join(folder, `${Math.random()}.html`);
    writeFileSync(path, [...diagnosisPage(diagnosis, { content })].join(''));
    const page = await from.context.newPage();
    const noise: string[] = [];
    const own = pathToFileURL(path).href;
    page.on('request', (request) => void (request.url() === own || noise.push(request.url())));
    page.on('console', (message) => void noise.push(message.text()));
    page.on('pageerror', (error) => void noise.push(error.message));
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.goto(own);
    return { page, noise };
  }

  it('the page shows a conversation turn by turn, with losses and sources', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const session = new OpenAIConversationsSession({ client });
    await converse(simulatedRunner(client), session, ['my secret is 42', 'what can you do?', 'thanks']);
    const conversationId = await session.getSessionId();
    const responses = simulator.snapshot().responses.map(({ id }) => id);
    const diagnosis = await diagnose({ client, conversationId, responses, content: true });
    const { page, noise } = await show(diagnosis);
    const text = await visible(page);
    expect(text).toContain(conversationId);
    expect(text).toContain('Damaged, can be repaired');
    expect(text).toMatch(/belong here\s+6\s+in the list\s+4\s+lost\s+2\s+can be restored\s+2/);
    expect(text).not.toContain('secret');
    const rows = await page.locator('.row').all();
    expect(rows).toHaveLength(6);
    const seen = await Promise.all(
      rows.map(async (row) => (await row.innerText()).split(/\s*\n\s*/).join(' ')),
    );
    expect(seen.map((row) => /lost/.test(row))).toEqual([false, true, false, true, false, false]);
    expect(seen[1]).toContain('Lost');
    expect(seen[1]).toContain('Can be restored');
    expect(seen[1]).toContain(`from response ${responses[0]}`);
    expect(seen[1]).toContain('found in that response');
    expect(await page.locator('h3').allInnerTexts()).toEqual(['Turn 1', 'Turn 2', 'Turn 3']);
    expect(noise).toEqual([]);
    const withContent = await show(diagnosis, { content: true });
    expect(await visible(withContent.page)).toContain('my secret is 42');
  });

  it('the page has two lanes: the list on the left, the history beside it', async () => {
    const { page } = await show(EVERYTHING, { content: true });
    const rows = await page.locator('.row').all();
    let above = 0;
    for (const row of rows) {
      const list = await row.locator('.slot').boundingBox();
      const card = await row.locator('.card').boundingBox();
      expect(list?.y).toBe(card?.y);
      expect((list?.x ?? 0) + (list?.width ?? 0)).toBeLessThan(card?.x ?? 0);
      expect(card?.y).toBeGreaterThan(above);
      above = card?.y ?? 0;
    }
    expect(await page.locator('.row').nth(1).locator('.slot').innerText()).toMatch(/lost$/);
    expect(await page.locator('.row').nth(6).locator('.slot').innerText()).toMatch(/3, 7/);
    expect(await page.locator('.row .badges').allInnerTexts()).toEqual([
      '✕ Lost\n↺ Can be restored',
      '⇤ Put there by another writer',
      '✕ Lost\n∅ Cannot be restored: no source holds it',
      '⧉ More than once in the list',
      '⇅ At another place in the list\n≠ Altered in the list',
      '… Still to be written to the conversation',
      '⌂ In the ledger only',
      '− Removed from the history, still in the list',
    ]);
  });

  it.each([{ dark: false }, { dark: true }])('the page is readable: dark $dark', async ({ dark }) => {
    const { page } = await show(EVERYTHING, { content: true, dark });
    const measured = await page.evaluate(contrasts);
    expect(measured.texts.length).toBeGreaterThan(50);
    expect(measured.texts.filter(({ contrast }) => contrast < 4.5)).toEqual([]);
    expect(measured.page < 0.1).toBe(dark);
    expect(measured.page > 0.8).toBe(!dark);
  });

  it.each([320, 375, 768])('the page fits into %d pixels without sideways scrolling', async (width) => {
    for (const diagnosis of [EVERYTHING, HOSTILE_DIAGNOSIS]) {
      const { page } = await show(diagnosis, { content: true, width });
      expect(await page.evaluate(widths)).toEqual({ scroll: width, outside: [] });
    }
  });

  it('the page works with the keyboard alone', async () => {
    const { page } = await show(longDiagnosis(210), { content: true });
    const skip = page.getByRole('link', { name: 'Skip to the timeline' });
    expect((await skip.boundingBox())?.x).toBeLessThan(0);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(focused)).toBe('Skip to the timeline');
    expect((await skip.boundingBox())?.x).toBeGreaterThanOrEqual(0);
    expect(await skip.evaluate(outlineOf)).toBe('solid');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(focused)).toBe('First loss: item 1');
    await page.keyboard.press('Enter');
    expect(page.url()).toMatch(/#item-1$/);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(focused)).toBe('Next loss: item 4 ↓');
    await page.keyboard.press('Enter');
    expect(page.url()).toMatch(/#item-4$/);
    await page.goto(page.url().replace(/#.*/, '#item-100'));
    const more = page.locator('#item-100 details');
    expect(await more.getAttribute('open')).toBe(null);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(focused)).toMatch(/characters more$/);
    await page.keyboard.press('Enter');
    expect(await more.getAttribute('open')).toBe('');
    await page.keyboard.press('Space');
    expect(await more.getAttribute('open')).toBe(null);
  });

  it('the page has landmarks, and headings without gaps', async () => {
    const { page } = await show(EVERYTHING, { content: true });
    for (const role of ['banner', 'main', 'contentinfo', 'navigation'] as const)
      expect(await page.getByRole(role).count()).toBe(1);
    const levels = await page.evaluate(headingLevels);
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels.filter((level, at) => at > 0 && level > (levels[at - 1] ?? 0) + 1)).toEqual([]);
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.locator('.row').first().locator('.slot').textContent()).toContain(
      'In the list, at position 0',
    );
  });

  it('the page shows hostile content as text, and runs none of it', async () => {
    const { page, noise } = await show(HOSTILE_DIAGNOSIS, { content: true });
    expect(await page.evaluate(inventory)).toEqual({
      hacked: undefined,
      strange: 0,
      headings: 1,
      metas: 6,
      display: 'block',
    });
    const text = await page.locator('body').textContent();
    for (const said of HOSTILE.slice(0, -1)) expect(text).toContain(said);
    expect(text).toContain(
      'abc⟦U+202E⟧fed⟦U+202C⟧ ⟦U+2066⟧x⟦U+2069⟧ zero⟦U+200B⟧width⟦U+2060⟧ nul⟦U+0000⟧ esc⟦U+001B⟧[2J half ⟦U+D83D⟧',
    );
    expect(noise).toEqual([]);
  });

  it('the policy of the page forbids scripts that are added later', async () => {
    const { page, noise } = await show(EVERYTHING);
    expect(await page.evaluate(inject)).toBe(undefined);
    expect(await page.evaluate(inventory)).toMatchObject({ hacked: undefined });
    expect(noise.filter((line) => line.includes('Content Security Policy')).length).toBeGreaterThan(1);
  });

  it('the page needs no script', async () => {
    const without = await openBrowser(false);
    try {
      const { page } = await show(EVERYTHING, { content: true, from: without });
      expect(await page.locator('.row').count()).toBe(EVERYTHING.timeline.length);
      expect(await page.locator('.verdict').innerText()).toContain('Damaged, cannot be repaired completely');
      expect(await page.locator('.said').first().isVisible()).toBe(true);
    } finally {
      await without.close();
    }
  });

  it('the page opens with 5,000 items, and scrolls to the last', async () => {
    const { page } = await show(longDiagnosis(5000), { content: true });
    expect(await page.locator('.row').count()).toBe(5000);
    await page.goto(`${page.url()}#item-4999`);
    expect(await page.locator('#item-4999 .said').first().isVisible()).toBe(true);
    expect((await page.locator('#item-4999').boundingBox())?.y).toBeLessThan(800);
  });

  it('the page prints dark on light, without links for the screen', async () => {
    const { page } = await show(longDiagnosis(101), { content: true, dark: true });
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    expect(await page.evaluate(onPaper)).toEqual({
      paper: 'rgb(255, 255, 255)',
      ink: 'rgb(0, 0, 0)',
      jump: 'none',
      unfolded: true,
    });
    const pdf = await page.pdf();
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
  });
});
