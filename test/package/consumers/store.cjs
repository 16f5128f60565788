// A store that opens an installed driver by its name.
const { HybridSession } = require('agents-hybrid-session');
const { sqliteLedger } = require('agents-hybrid-session/sqlite');

async function main() {
  const options = { ledger: sqliteLedger({ path: 'sessions.db' }), mirror: 'off', sessionId: 'session-1' };
  await new HybridSession(options).addItems([
    { role: 'user', content: 'one' },
    { role: 'user', content: 'two' },
  ]);
  console.log((await new HybridSession(options).getItems()).length);
}

main();
