import { itemsOfTurns, question } from './script.mjs';

/** The most items that the API takes in one call. */
const ITEMS_PER_CALL = 20;

/** One conversation of a contestant, turn after turn. */
export class Conversation {
  /** How many turns it has had. */
  turns = 0;
  session;
  #run;
  #growBy;
  #settle;
  #itemsOf;

  /**
   * `run` asks for an answer; `growBy` does so without measurement; `settle` resolves when all writes behind the answer
   * have ended. `itemsOf` gives the items of turns, to seed a session with.
   */
  constructor({ run, growBy = run, settle, session, itemsOf = async (from, to) => itemsOfTurns(from, to) }) {
    this.#run = run;
    this.#growBy = growBy;
    this.#settle = settle;
    this.#itemsOf = itemsOf;
    this.session = session;
  }

  /** One turn, until the user has the answer. */
  turn() {
    this.turns += 1;
    return this.#run(question(this.turns));
  }

  /** Resolves when everything is written. */
  settled() {
    return this.#settle?.();
  }

  /** Gets to a turn by real turns without measurement. */
  async grow(to) {
    while (this.turns < to) {
      this.turns += 1;
      await this.#growBy(question(this.turns));
      await this.settled();
    }
  }

  /** Gets to a turn without reading the history: the session is given the items that its turns would have given it. */
  async seed(to) {
    while (this.turns < to) {
      const next = Math.min(to, this.turns + ITEMS_PER_CALL / 2);
      await this.session.addItems(await this.#itemsOf(this.turns + 1, next));
      this.turns = next;
    }
  }
}
