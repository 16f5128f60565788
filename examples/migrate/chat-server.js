// The chat as it runs in production: a user has a conversation at the API, and each request opens a session on it.
import { createServer } from 'node:http';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** The conversations of the users, in the place of a column in the app's database. */
function conversationsOf(path) {
  let known = {};
  try {
    known = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  return {
    of: (user) => known[user],
    set(user, conversationId) {
      if (known[user] === conversationId) return;
      known[user] = conversationId;
      writeFileSync(`${path}.new`, JSON.stringify(known));
      renameSync(`${path}.new`, path);
    },
  };
}

/**
 * Serves `POST /chats/USER` with a text, and the routes of an operator.
 *
 * @param ask runs a turn in a conversation, and returns the answer and the IDs.
 * @param routes the operator's routes, by method and path: `(text) => answer`.
 */
export function serve({ ask, routes = {}, end = async () => undefined }) {
  const conversations = conversationsOf('users.json');
  const handle = async (request, response) => {
    let text = '';
    for await (const part of request) text += String(part);
    const send = (status, body) => response.writeHead(status).end(`${body}\n`);
    const [, user] = /^\/chats\/(\w+)$/.exec(request.url) ?? [];
    const route = routes[`${request.method} ${request.url}`];
    try {
      if (route !== undefined) return send(200, JSON.stringify(route(text)));
      if (request.method !== 'POST' || user === undefined) return send(404, 'not found');
      const { answer, conversationId, responseIds } = await ask(text, conversations.of(user));
      conversations.set(user, conversationId);
      // The line that repairs a conversation later: the API lists no responses.
      console.log(JSON.stringify({ user, conversation: conversationId, responses: responseIds }));
      return send(200, answer);
    } catch (error) {
      if (error.name === 'InvalidOptionsError') return send(400, error.message);
      // The message of another error may quote the chat.
      console.error(JSON.stringify({ user, error: error.name, code: error.code }));
      return send(500, 'failed');
    }
  };
  const server = createServer((request, response) => void handle(request, response));
  server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
    console.log(`listening on http://127.0.0.1:${server.address().port}`);
  });
  const close = async () => {
    await new Promise((resolve) => server.close(resolve));
    await end();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => void close());
}
