import { createClient, createCluster } from 'redis';
import { freePort } from '../../../scripts/servers/own-server.mjs';
import { startRedis } from '../../../scripts/servers/redis-server.mjs';

const LINKED = /master_link_status:up/;

/** A Redis with one replica that can be cut off: it goes on answering with what it has. */
export interface RedisPair {
  /** Clients of the master and of the replica. */
  readonly master: RedisClient;
  readonly replica: RedisClient;
  /** A client of the cluster that reads from the replica where the command allows it. */
  readonly cluster: ReturnType<typeof openCluster>;
  /** Cuts the replica off, or lets it catch up. */
  readonly cut: () => Promise<void>;
  readonly join: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type RedisClient = Awaited<ReturnType<typeof connected>>;

/** Starts a cluster of one master and one replica. */
export async function redisPair(folder: string): Promise<RedisPair> {
  const start = async (name: string): ReturnType<typeof startRedis> => {
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
    const link = ['--masteruser', 'replica', '--masterauth', 'secret', '--repl-diskless-sync-delay', '0'];
    return startRedis(`${folder}/${name}`, { isDurable: false, args: [...cluster, ...link] });
  };
  const servers = [await start('master'), await start('replica')] as const;
  const [master, replica] = await Promise.all([connected(servers[0].url), connected(servers[1].url)]);
  const may = (state: string): Promise<unknown> =>
    master.sendCommand(['ACL', 'SETUSER', 'replica', state, '>secret', '+psync', '+replconf', '+ping']);
  const linked = (): Promise<void> => until(async () => LINKED.test(await replica.info('replication')));

  await may('on');
  await master.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383']);
  const bus = Object.values((await master.configGet('cluster-port')) as Record<string, string>)[0] ?? '';
  await replica.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(servers[0].port), bus]);
  const id = await master.clusterMyId();
  await until(async () => (await replica.sendCommand(['CLUSTER', 'REPLICATE', id])) !== undefined);
  await linked();
  // The master names a replica to clients once it has heard how far that is, which is nothing in an empty one.
  await until(async () => (await master.clusterInfo()).includes('cluster_state:ok'));
  await master.set('first', 'written');
  await until(async () => {
    const [[, , ...nodes] = []] = (await master.sendCommand(['CLUSTER', 'SLOTS'])) as unknown as unknown[][];
    return nodes.length === 2;
  });
  const cluster = openCluster(servers[0].url);
  await cluster.connect();
  return {
    master,
    replica,
    cluster,
    async cut() {
      await may('off');
      await master.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
    },
    async join() {
      await may('on');
      await linked();
    },
    async close() {
      cluster.destroy();
      for (const client of [master, replica]) client.destroy();
      for (const server of servers) await server.kill();
    },
  };
}

function openCluster(url: string) {
  return createCluster({ rootNodes: [{ url }], useReplicas: true }).on('error', () => undefined);
}

async function connected(url: string) {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Asks until the answer is yes; an error is no. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  while (!(await ask().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
}
