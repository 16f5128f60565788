import { turns } from './virtual-time.ts';

/** An answer that takes more turns of the event loop than this will never come: the tests wait for no other event. */
const MAX_TURNS = 400;

/** A request of a client with a timeout in turns of the event loop. */
export async function impatient(answer: Promise<Response>): Promise<Response> {
  let isThere = false;
  const noted = answer.finally(() => {
    isThere = true;
  });
  noted.catch(() => undefined);
  const given = (async (): Promise<never> => {
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      await turns(1);
      if (isThere) return new Promise<never>(() => undefined);
    }
    throw new Error('The request timed out');
  })();
  return Promise.race([noted, given]);
}
