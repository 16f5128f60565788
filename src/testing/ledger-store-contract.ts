import { appendChecks } from './append-checks.ts';
import type { AddCheck } from './add-check.ts';
import type { LedgerStoreSubject } from './ledger-store-subject.ts';
import { rewriteChecks } from './rewrite-checks.ts';
import { sharingChecks } from './sharing-checks.ts';
import { Bench } from './store-bench.ts';

/** One thing that every store does, and a function that rejects when this one does not. */
export interface LedgerStoreCheck {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/**
 * The contract of `LedgerStore`, as checks for any test runner.
 *
 * ```ts
 * for (const { name, run } of ledgerStoreContract({ create })) test(name, run);
 * ```
 *
 * Allow a minute for a check: one appends 10,000 records, another several megabytes.
 */
export function ledgerStoreContract(subject: LedgerStoreSubject): LedgerStoreCheck[] {
  const checks: LedgerStoreCheck[] = [];
  const check: AddCheck = (name, body) => {
    checks.push({ name, run: () => withBench(subject, body) });
  };

  appendChecks(check);
  rewriteChecks(check, subject);
  sharingChecks(check, subject);
  return checks;
}

async function withBench(subject: LedgerStoreSubject, body: (bench: Bench) => Promise<void>): Promise<void> {
  const bench = await Bench.create(subject);
  try {
    await body(bench);
  } finally {
    await bench.remove();
  }
}
