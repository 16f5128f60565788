/**
 * Compares the history of a session with the answers of its calls.
 * @param calls in the order of their beginnings: `{ id, process, kind, tokens, began, ended, outcome, conversationId,
 * popped, cleared }`; `outcome` is `done`, `failed` (rejected), or `died` (the process was killed, at `ended`);
 * `cleared` is the conversation that a clear was called on.
 * @param histories the tokens that the session serves, in order; a cleared session may go on in more than one
 * conversation.
 */
export function auditSession({ calls, histories }) {
  const history = histories.flat();
  const counts = countsOf(history);
  const clears = calls.filter(({ kind }) => kind === 'clear');
  const pops = calls.filter(({ kind }) => kind === 'pop');
  const popped = new Set(pops.flatMap((call) => call.popped ?? []));
  const known = new Set(calls.flatMap(({ tokens }) => tokens));

  const isClearedBefore = (call) =>
    clears.some(
      ({ cleared, began }) => cleared !== undefined && cleared === call.conversationId && call.ended < began,
    );
  const mayBeCleared = (call) =>
    clears.some((clear) => clear.ended >= call.began || clear.cleared === undefined);

  const doubled = [...counts].filter(([, count]) => count > 1).map(([token]) => token);
  const returned = [
    ...[...popped].filter((token) => counts.has(token)),
    ...calls
      .filter((call) => isClearedBefore(call))
      .flatMap(({ tokens }) => tokens.filter((token) => counts.has(token))),
  ];
  const missing = calls
    .filter((call) => call.outcome === 'done' && !mayBeCleared(call))
    .flatMap(({ tokens }) => tokens.filter((token) => !counts.has(token) && !popped.has(token)));
  // A pop without an answer may have taken an item that its caller was never shown.
  const unseenPops = pops.filter(({ outcome }) => outcome !== 'done').length;
  const lost = missing.length <= unseenPops ? [] : missing;

  // A call that was rejected may have taken effect at any time.
  const ordered = calls.filter(({ outcome }) => outcome === 'done');
  const displaced = histories.flatMap((one) => displacedIn(one, ordered, counts));
  const torn =
    unseenPops > 0
      ? []
      : calls
          .filter((call) => call.outcome !== 'done' && !mayBeCleared(call))
          .flatMap(({ tokens }) => {
            const kept = tokens.filter((token) => counts.has(token) || popped.has(token));
            return kept.length === 0 ? [] : tokens.filter((token) => !kept.includes(token));
          });
  return { doubled, returned, lost, displaced, torn, foreign: history.filter((token) => !known.has(token)) };
}

/** The tokens of each process that stand before an earlier one of the same process. */
function displacedIn(history, calls, counts) {
  const places = new Map(history.map((token, index) => [token, index]));
  const displaced = [];
  for (const process of new Set(calls.map((call) => call.process))) {
    let last = -1;
    for (const token of calls.filter((call) => call.process === process).flatMap(({ tokens }) => tokens)) {
      const place = places.get(token);
      if (place === undefined || counts.get(token) > 1) continue;
      if (place < last) displaced.push(token);
      else last = place;
    }
  }
  return displaced;
}

/**
 * Compares a conversation with the history, and the difference with the report of `verify()`.
 * @param named how many absent items the report names: lost and pending ones.
 * @param duplicated how many copies the report names.
 * @returns the gaps and copies in the list that no finding names.
 */
export function auditList({ history, listed, named, duplicated }) {
  const counts = countsOf(listed);
  const absent = history.filter((token) => !counts.has(token));
  const copies = listed.length - counts.size;
  return {
    unnamedGaps: Math.max(0, absent.length - named),
    unnamedCopies: Math.max(0, copies - duplicated),
  };
}

function countsOf(tokens) {
  const counts = new Map();
  for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}
