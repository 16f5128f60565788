// Loads every entry point of the package as an ES module and as CommonJS, and lists the exports of each.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const doors = Object.keys(require('agents-hybrid-session/package.json').exports).filter(
  (door) => !door.endsWith('.json'),
);
const loaded = {};
for (const door of doors) {
  const name = `agents-hybrid-session${door.slice(1)}`;
  loaded[door] = {
    import: Object.keys(await import(name)).toSorted(),
    require: Object.keys(require(name)).toSorted(),
  };
}
console.log(JSON.stringify(loaded));
