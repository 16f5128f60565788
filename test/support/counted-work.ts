/** The methods of every array. */
const lists: object = Array.prototype;

type Method = (this: unknown[], ...args: unknown[]) => unknown;

/** Methods that ask a function about one element after the other. */
const ASKING = [
  'find',
  'findIndex',
  'findLast',
  'findLastIndex',
  'filter',
  'map',
  'flatMap',
  'some',
  'every',
  'forEach',
  'reduce',
  'toSorted',
  'sort',
] as const;

/** Methods that look at or move elements by themselves, as many as there are. */
const WALKING = [
  'indexOf',
  'lastIndexOf',
  'includes',
  'splice',
  'shift',
  'unshift',
  'slice',
  'concat',
  'toReversed',
] as const;

/** How many elements the methods of arrays read or move during some work: its cost, on any machine. */
export function workOf(work: () => unknown): number {
  let count = 0;
  const restore: (() => void)[] = [];
  const replace = (name: string, method: (original: Method) => Method): void => {
    const original = Reflect.get(lists, name) as Method;
    Object.defineProperty(lists, name, {
      value: method(original),
      configurable: true,
      writable: true,
    });
    restore.push(() =>
      Object.defineProperty(lists, name, { value: original, configurable: true, writable: true }),
    );
  };
  for (const name of ASKING) {
    replace(
      name,
      (original) =>
        function counted(first, ...rest) {
          if (typeof first !== 'function') return original.call(this, first, ...rest);
          return original.call(
            this,
            (...args: unknown[]): unknown => {
              count += 1;
              return Reflect.apply(first, undefined, args) as unknown;
            },
            ...rest,
          );
        },
    );
  }
  for (const name of WALKING) {
    replace(
      name,
      (original) =>
        function counted(...args) {
          const result = original.apply(this, args);
          count += name === 'slice' && Array.isArray(result) ? result.length : this.length;
          return result;
        },
    );
  }
  try {
    work();
  } finally {
    for (const one of restore) one();
  }
  return count;
}
