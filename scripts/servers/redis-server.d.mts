import type { OwnServer } from './own-server.mjs';

/** A Redis of its own; with `isDurable` (default) an append that was acknowledged survives a kill. */
export function startRedis(
  folder: string,
  options?: { readonly isDurable?: boolean; readonly args?: readonly string[] },
): Promise<OwnServer>;
