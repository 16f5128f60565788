/** The faults of the soak, each with the requests or calls that it strikes and how often. */
export const API_FAULTS = {
  // Answered 504 at once; the effect comes 0 to 60 s later.
  late: { writes: 0.02 },
  // Never answered; the effect comes 0 to 60 s later.
  'late-silent': { writes: 0.004 },
  // The effect came, the connection breaks.
  dropped: { writes: 0.02, deletes: 0.02, model: 0.005 },
  // One request, one answer, two effects.
  double: { writes: 0.01 },
  // No effect.
  refused: { writes: 0.02, deletes: 0.02, reads: 0.01, model: 0.01 },
  // An answer that takes 1 to 10 s.
  slow: { writes: 0.02, reads: 0.02, model: 0.01 },
  // A list without its newest items.
  lag: { lists: 0.1 },
};

export const STORE_FAULTS = {
  // An append that was applied and whose answer is an error.
  'store-answer': 0.01,
  // An append that is rejected now and applied 0 to 10 s later.
  'store-late': 0.003,
  // A call that takes up to 5 s.
  'store-slow': 0.02,
};

/** Behaviour of the caller: an append that was rejected is made again with the same items. */
const CALLER_FAULTS = ['retry'];

export const ALL_FAULTS = [...Object.keys(API_FAULTS), ...Object.keys(STORE_FAULTS), ...CALLER_FAULTS];

/** The faults of processes and servers, and how often they happen. */
export const CHAOS = { kill: 6, freeze: 2, restart: 2, pause: 1, redis: 1.5, postgres: 1.5, mysql: 1.5 };
