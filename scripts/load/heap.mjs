export const MIB = 1024 * 1024;

/** What is reachable, in bytes. */
export function heap() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
