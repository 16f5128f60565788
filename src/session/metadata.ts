import { z } from 'zod';
import { InvalidOptionsError } from '../errors/options.ts';
import type { SessionMetadata } from '../ledger/record.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';

/** The size of all values as JSON, in bytes. */
const MAX_BYTES = 8192;

const changesSchema = z.record(z.string().min(1), z.json());

/** Reads the app's values, without the history. */
export async function readMetadata(runtime: SessionRuntime): Promise<SessionMetadata> {
  const state = await runtime.runIfBegun(({ ledger }) => ledger.read({ scope: 'tail', fresh: true }));
  return structuredClone(state?.metadata ?? {});
}

/**
 * Changes some of the app's values.
 *
 * @param changes the new values by name; null removes one.
 * @throws InvalidOptionsError for a value that is not JSON, or for more than 8 KiB in all.
 */
export async function changeMetadata(
  runtime: SessionRuntime,
  changes: SessionMetadata,
): Promise<SessionMetadata> {
  const { success, data = {} } = changesSchema.safeParse(changes);
  if (!success) throw new InvalidOptionsError('metadata', 'must be JSON values by name');
  const state = await runtime.run(
    ({ ledger }) =>
      ledger.append(
        ({ metadata }) => {
          const all = Object.entries({ ...metadata, ...data }).filter(([, value]) => value !== null);
          const values = Object.fromEntries(all);
          if (Buffer.byteLength(JSON.stringify(values)) > MAX_BYTES)
            throw new InvalidOptionsError('metadata', `must have at most ${MAX_BYTES} bytes as JSON`);
          return [{ type: 'metadata', values }];
        },
        { scope: 'tail' },
      ),
    { writes: true },
  );
  return structuredClone(state.metadata);
}
