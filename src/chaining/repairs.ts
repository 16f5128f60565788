import { ParentIgnored, type ModelCall } from './call.ts';
import { StreamEnded } from './gather-response.ts';
import { INPUT_CAUSES, inputRefusal, isAboutCompaction, isTooLong } from './input-refusal.ts';
import { parentRefusal } from './parent-refusal.ts';

/** The repair of a request after one cause of refusal. */
export interface Repair {
  /** The unique name of the cause; a call is repaired once for each. */
  readonly cause: string;
  /**
   * Changes the request of the call, and warns the session.
   *
   * @param evidence the error, and the events of the stream before it.
   * @returns false if the request failed for another cause; the call then stays unchanged.
   */
  readonly mend: (call: ModelCall, evidence: readonly unknown[]) => Promise<boolean>;
}

/** The repairs, in the order of their checks. */
const REPAIRS: readonly Repair[] = [
  {
    cause: 'compaction',
    async mend(call, evidence) {
      return isAboutCompaction(call.request.input, ...evidence) && (await call.leaveOutCompaction());
    },
  },
  ...INPUT_CAUSES.map((cause): Repair => ({
    cause,
    async mend(call, evidence) {
      const refusal = call.isPrepared ? inputRefusal(...evidence) : undefined;
      return refusal?.cause === cause && (await call.leaveOut(refusal));
    },
  })),
  // A compaction of the beginning may leave too much behind it.
  ...['too_long', 'still_too_long'].map((cause): Repair => ({
    cause,
    async mend(call, evidence) {
      return isTooLong(...evidence) && (await call.compact());
    },
  })),
  {
    cause: 'parent',
    async mend(call, evidence) {
      const { parentId } = call;
      if (parentId === undefined) return false;
      if (evidence[0] instanceof ParentIgnored) {
        await call.replayIgnored(parentId);
        return true;
      }
      const cannotStream = call.isTrial && isWithoutStream(evidence);
      const why = cannotStream ? 'not streamed' : parentRefusal(parentId, ...evidence);
      // After a confirmed parent, a server error has another cause than the parent.
      const isItsOwn = why === 'server error' && (call.isConfirmed || call.leaveToRunner());
      if (why === undefined || isItsOwn) return false;
      await call.replay(why);
      return true;
    },
  },
];

/**
 * Repairs a call that failed before its first output, with at most one more request for each cause.
 *
 * @returns false if no repair applies; the error then reaches the caller.
 */
export async function repair(call: ModelCall, evidence: readonly unknown[]): Promise<boolean> {
  for (const { cause, mend } of REPAIRS) {
    if (call.mended.has(cause) || !(await mend(call, evidence))) continue;
    call.mended.add(cause);
    return true;
  }
  return false;
}

/** Whether the server cannot stream, so it cannot confirm the parent before it runs a tool. */
function isWithoutStream([error]: readonly unknown[]): boolean {
  if (error instanceof StreamEnded) return true;
  return error instanceof Error && /\bstream(ing|ed)?\b/i.test(error.message);
}
