import type { LedgerHead, LedgerRecord } from '../../../src/index.ts';
import { user } from '../../support/conversation.ts';

/** A record of one message. */
export function record(text: string): LedgerRecord {
  const items = [{ digest: `digest of ${text}`, kind: 'message:user', id: `msg_${text}`, item: user(text) }];
  return { v: 1, commit: 'commit', time: 1_767_225_600_000, type: 'items', items };
}

/** A head of that version. */
export function head(version: number): LedgerHead {
  return {
    format: 1,
    version,
    length: version,
    digest: `digest ${version}`,
    response: { id: `resp_${version}`, time: 1_767_225_600_000, store: true },
  };
}
