import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { neonConfig } from '@neondatabase/serverless';
import { Pool } from 'pg';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';

interface Column {
  readonly name: string;
  readonly dataTypeID: number;
}

/** A pool, by its method that answers rows as arrays. */
interface ArrayPool {
  query(query: {
    readonly text: string;
    readonly values: unknown[];
    readonly rowMode: 'array';
    readonly types: typeof types;
  }): Promise<{ readonly rows: unknown[][]; readonly fields: Column[]; readonly command: string }>;
}

/** The driver's texts of every type: the client on the other side reads them. */
const types = { getTypeParser: () => (value: string) => value };

/**
 * A gateway to a PostgreSQL as Neon's driver needs one: a WebSocket that carries the bytes of a connection, and a request for one
 * statement. All clients of this process use it.
 *
 * @returns a URL for the driver.
 */
export async function neonGateway(postgresUrl: string): Promise<string> {
  const { hostname, port } = new URL(postgresUrl);
  const pool = new Pool({ connectionString: postgresUrl, max: 20 });
  pool.on('error', () => undefined);
  const server = createServer((request, response) => {
    // An idle connection could end at the moment at which it is used again.
    response.setHeader('connection', 'close');
    void answer(pool as object as ArrayPool, request).then(
      (result) => response.end(JSON.stringify(result)),
      (error: unknown) => response.writeHead(400).end(JSON.stringify(failure(error))),
    );
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    const [stream, database] = [createWebSocketStream(socket), connect(Number(port), hostname)];
    for (const one of [stream, database]) one.on('error', () => undefined);
    stream.pipe(database).pipe(stream);
    stream.on('close', () => database.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // It lives as long as the process of the tests.
  server.unref();
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  neonConfig.webSocketConstructor = WebSocket;
  neonConfig.wsProxy = () => address;
  neonConfig.useSecureWebSocket = false;
  neonConfig.forceDisablePgSSL = true;
  neonConfig.pipelineConnect = false;
  neonConfig.fetchEndpoint = () => `http://${address}/sql`;
  return `postgres://postgres:password@${hostname}:${port}/postgres`;
}

async function answer(pool: ArrayPool, request: IncomingMessage): Promise<unknown> {
  const { query, params } = JSON.parse(await text(request)) as { query: string; params: unknown[] };
  const { rows, fields, command } = await pool.query({
    text: query,
    values: params,
    rowMode: 'array',
    types,
  });
  const columns = fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }));
  return { rows, fields: columns, command, rowCount: rows.length };
}

function failure(error: unknown): object {
  const message = error instanceof Error ? error.message : 'unknown';
  return Object.assign({}, error, { message });
}
