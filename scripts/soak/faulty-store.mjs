import { STORE_FAULTS } from './faults.mjs';
import { sleep } from './random.mjs';

/** A store that answers slowly, rejects calls that it has applied, or applies calls later that it has rejected. */
export function faultyStore(store, { next, faults, rate, speed, struck }) {
  const strikes = (name) => {
    if (!faults.has(name) || next() >= STORE_FAULTS[name] * rate) return false;
    struck(name);
    return true;
  };
  const slowly = async () => {
    if (strikes('store-slow')) await sleep((next() * 5000) / speed);
  };
  const read =
    (method) =>
    async (...args) => {
      await slowly();
      return store[method](...args);
    };
  const write =
    (method) =>
    async (...args) => {
      await slowly();
      if (strikes('store-late')) {
        const after = (next() * 10_000) / speed;
        void sleep(after)
          .then(() => store[method](...args))
          .catch(() => undefined);
        throw Object.assign(new Error('Query read timeout'), { code: 'ETIMEDOUT' });
      }
      const result = await store[method](...args);
      if (strikes('store-answer'))
        throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
      return result;
    };
  return {
    checkpoint: read('checkpoint'),
    read: read('read'),
    append: write('append'),
    rewrite: write('rewrite'),
    delete: read('delete'),
  };
}
