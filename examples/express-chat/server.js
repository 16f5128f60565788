// A chat backend: node server.js
import { closeAll } from 'agents-hybrid-session';
import { createApp } from './app.js';
import { openDatabase } from './database.js';

const { DATABASE_URL: url, SQLITE_PATH: path = 'chat.db', PORT: port = '3000' } = process.env;

let isClosing = false;
const database = await openDatabase({ url, path });
const app = createApp({ database, isClosing: () => isClosing });
const server = app.listen(Number(port), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

// `on`, not `once`: without a listener the SDK's own one ends the process at once.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void shutDown());

async function shutDown() {
  if (isClosing) return;
  isClosing = true;
  await new Promise((resolve) => server.close(resolve)); // 1. the answers under way end
  const { unfinished } = await closeAll({ timeout: 10_000 }); // 2. the conversations get their items
  for (const { sessionId, reason } of unfinished)
    console.log(JSON.stringify({ chatId: sessionId, unfinished: reason }));
  await database.close(); // 3. the store closes
  console.log('closed');
  process.exit(0);
}
