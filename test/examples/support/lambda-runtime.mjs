// Invokes a handler as AWS Lambda does: the process freezes in the moment in which the answer is there.
import { writeSync } from 'node:fs';
import { join } from 'node:path';

const { user, text, milliseconds } = JSON.parse(process.argv[2]);
const { handler } = await import(join(process.cwd(), 'handler.js'));
const deadline = Date.now() + milliseconds;
const result = await handler(
  { body: JSON.stringify({ text }), requestContext: { authorizer: { jwt: { claims: { sub: user } } } } },
  { getRemainingTimeInMillis: () => deadline - Date.now() },
);
writeSync(1, `answered ${JSON.stringify(result)}\n`);
process.kill(process.pid, 'SIGSTOP');
