import { clock } from '../../dist/esm/src/util/clock.js';
import { sleep } from './random.mjs';

/** Lets the sessions of this process live faster, from the same moment in every process. */
export function runClock({ origin, speed }) {
  clock.now = () => origin + (Date.now() - origin) * speed;
  clock.sleep = (milliseconds) => sleep(milliseconds / speed);
}
