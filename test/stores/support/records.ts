import type { Checkpoint, LedgerRecord } from '../../../src/index.ts';
import { user } from '../../support/conversation.ts';

/** A record of one message. */
export function record(text: string): LedgerRecord {
  const items = [{ digest: `digest of ${text}`, kind: 'message:user', id: `msg_${text}`, item: user(text) }];
  return { v: 3, commit: 'commit', time: 1_767_225_600_000, type: 'items', items };
}

/** A checkpoint of that version. */
export function checkpoint(version: number): Checkpoint {
  return {
    format: 3,
    version,
    length: version,
    digest: `digest ${version}`,
    response: { id: `resp_${version}`, time: 1_767_225_600_000, store: true },
  };
}
