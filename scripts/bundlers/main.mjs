// The entry point of the bundlers that make one file.
import { probe } from './probe.mjs';

async function main() {
  console.log(JSON.stringify(await probe()));
  process.exit(0);
}

void main();
