import { PinnedContent } from '../history/pinned-content.ts';
import { SerialQueue } from '../ledger/serial-queue.ts';

/** What the sessions of this process share that keep the same conversation up to date. */
export class MirrorLine {
  /** One of them writes at a time: two would both write what both find pending. */
  readonly queue: SerialQueue = new SerialQueue();
  /** One of them writes its history to another conversation at a time; the next one finds it moved. */
  readonly healing: SerialQueue = new SerialQueue();
  /** The one that wrote last: any other has to read the ledger again before it writes. */
  last: object | undefined;
  /** How often to look at the list before writing again: a write failed that may have been applied all the same. */
  looksDue = 0;
  /** The entries of those writes, by sequence number. */
  readonly tried: Set<number> = new Set();
  /** What the ledger does not hold and the conversation not yet. */
  readonly pinned: PinnedContent = new PinnedContent();
}

const stores = new WeakMap<object, Map<string, WeakRef<MirrorLine>>>();
const forgotten = new FinalizationRegistry<{ lines: Map<string, WeakRef<MirrorLine>>; sessionId: string }>(
  ({ lines, sessionId }) => {
    if (lines.get(sessionId)?.deref() === undefined) lines.delete(sessionId);
  },
);

/** The line of a session in this store; the same as long as somebody holds it. */
export function mirrorLine(store: object, sessionId: string): MirrorLine {
  let lines = stores.get(store);
  if (lines === undefined) stores.set(store, (lines = new Map()));
  const known = lines.get(sessionId)?.deref();
  if (known !== undefined) return known;
  const line = new MirrorLine();
  lines.set(sessionId, new WeakRef(line));
  forgotten.register(line, { lines, sessionId });
  return line;
}
