// Runs the built Worker on this machine. Its D1 database is in a folder, and stays there when the Worker ends.
import { Miniflare } from 'miniflare';

const [port = '8080', folder = 'data'] = process.argv.slice(2);
const { OPENAI_API_KEY = '', OPENAI_BASE_URL = 'https://api.openai.com/v1' } = process.env;
const worker = new Miniflare({
  port: Number(port),
  modules: true,
  scriptPath: 'out/worker.mjs',
  compatibilityDate: '2026-04-01',
  compatibilityFlags: ['nodejs_compat'],
  d1Databases: ['DB'],
  d1Persist: folder,
  bindings: { OPENAI_API_KEY, OPENAI_BASE_URL },
});
console.log(`Listening on ${await worker.ready}`);
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => void worker.dispose().then(() => process.exit()));
