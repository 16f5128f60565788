const WRONG = ['lost', 'doubled', 'returned', 'displaced', 'torn', 'foreign'];

/** How many values have each name. */
export function countBy(values, nameOf) {
  const counts = {};
  for (const value of values) counts[nameOf(value)] = (counts[nameOf(value)] ?? 0) + 1;
  return counts;
}

/** The sums of all sessions; marks those where something is wrong. */
export function totalsOf(results, { stuck, crashes, sawDouble }) {
  const sum = (read) => results.reduce((all, result) => all + read(result), 0);
  for (const result of results)
    result.isWrong =
      WRONG.some((name) => result[name].length > 0) ||
      result.unnamedGaps > 0 ||
      result.unnamedCopies > 0 ||
      result.error !== undefined;
  return {
    sessions: results.length,
    acknowledged: sum(({ acknowledged }) => acknowledged),
    ...Object.fromEntries(WRONG.map((name) => [name, sum((result) => result[name].length)])),
    unnamed: sum(({ unnamed }) => unnamed.length),
    unreadable: results.filter(({ error }) => error !== undefined).length,
    shownTwice: sawDouble.length,
    listGaps: sum(({ unnamedGaps }) => unnamedGaps),
    listCopies: sum(({ unnamedCopies }) => unnamedCopies),
    stuck: stuck.length,
    crashes,
  };
}

export function checksOf(totals) {
  return {
    'no acknowledged item is lost': totals.lost === 0,
    'no item is doubled': totals.doubled === 0,
    'the model saw no item twice': totals.shownTwice === 0,
    'no item comes back that was popped or cleared': totals.returned === 0,
    'the items of each process are in order': totals.displaced === 0,
    'no append is there in part': totals.torn === 0,
    'no history holds anything else': totals.foreign === 0,
    'every session can be read': totals.unreadable === 0,
    'every gap is named by an event':
      totals.unnamed === 0 && totals.listGaps === 0 && totals.listCopies === 0,
    'no process crashes and none hangs': totals.stuck === 0 && totals.crashes === 0,
  };
}

const pairs = (table) =>
  Object.entries(table)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** The closing table: one row a store, then every session where something is wrong. */
export function printAudit(results, { faults, failures, totals, checks }) {
  const kinds = [...new Set(results.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const own = results.filter((result) => result.kind === kind);
    const count = (name) =>
      own.reduce(
        (sum, result) => sum + (Array.isArray(result[name]) ? result[name].length : result[name]),
        0,
      );
    return [
      kind,
      {
        sessions: own.length,
        calls: count('calls'),
        acknowledged: count('acknowledged'),
        ...Object.fromEntries(WRONG.map((name) => [name, count(name)])),
        unreadable: own.filter(({ error }) => error !== undefined).length,
        listGaps: count('unnamedGaps'),
        listCopies: count('unnamedCopies'),
        verified: own.filter(({ verified }) => verified === true).length,
      },
    ];
  });
  console.table(Object.fromEntries(rows));
  const events = {};
  for (const result of results)
    for (const [type, count] of Object.entries(result.events)) events[type] = (events[type] ?? 0) + count;
  console.log(`faults: ${pairs(faults)}`);
  console.log(`rejected: ${pairs(failures)}`);
  console.log(`events: ${pairs(events)}`);
  for (const result of results.filter(({ isWrong }) => isWrong)) console.log(describe(result));
  console.log(JSON.stringify(totals));
  for (const name of Object.keys(checks)) console.log(`${checks[name] ? 'ok    ' : 'BROKEN'} ${name}`);
}

function describe({ key, error, unnamedGaps, unnamedCopies, ...found }) {
  const parts = WRONG.filter((name) => found[name].length > 0).map(
    (name) => `${name} ${found[name].slice(0, 6).join(' ')}`,
  );
  if (unnamedGaps > 0) parts.push(`${unnamedGaps} unnamed gaps in the list`);
  if (unnamedCopies > 0) parts.push(`${unnamedCopies} unnamed copies in the list`);
  if (error !== undefined) parts.push(error);
  return `${key}: ${parts.join('; ')}`;
}
