// A server of its own between clients and `upstream`, which ends in `/v1`: prints its URL. SIGSTOP pauses it, and with it the
// API as its clients see it.
import { createServer, request } from 'node:http';

const upstream = new URL(process.argv[2]);
const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const passed = request(
    { host: upstream.hostname, port: upstream.port, method, path: url, headers },
    (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    },
  );
  passed.on('error', () => outgoing.destroy());
  incoming.pipe(passed);
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}/v1\n`));
process.stdin.resume().on('end', () => process.exit(0));
