import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';

/** Where a Chromium is: as `scripts/with-servers.sh` says, or where Debian puts it. Undefined where there is none. */
export const BROWSER: string | undefined = [process.env['TEST_BROWSER'], '/usr/bin/chromium'].find(
  (path) => path !== undefined && existsSync(path),
);

/** A browser with a profile of its own. */
export interface OpenedBrowser {
  readonly context: BrowserContext;
  readonly close: () => Promise<void>;
}

/** Starts the browser. @param scripts whether pages may run any. */
export async function openBrowser(scripts = true): Promise<OpenedBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'hybrid-session-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: BROWSER ?? '',
    headless: true,
    javaScriptEnabled: scripts,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
