export const MIB = 1024 * 1024;

/** The size of all reachable objects, in bytes. */
export function heap() {
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
