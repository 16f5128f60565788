/** The output of the workers: their calls, by session, and their events. */
export class Journal {
  /** Calls by their ID, in the order in which they began. */
  #calls = new Map();
  #live = new Map();
  /** The events of each session, in order. */
  events = new Map();
  struck = {};
  failures = {};
  sawDouble = [];
  unverified = 0;
  audits = new Map();

  /** Takes a line of a process. */
  take(process, line) {
    if (line.begin !== undefined) {
      const { begin: id, kind, session, tokens, at } = line;
      const call = { id, process, kind, session, tokens, began: at, ended: Infinity, outcome: 'died' };
      this.#calls.set(id, call);
      this.#live.set(id, call);
    } else if (line.done !== undefined) this.#end(line.done, 'done', line);
    else if (line.failed !== undefined) {
      this.#end(line.failed, 'failed', line);
      const name = `${this.#calls.get(line.failed)?.kind} ${line.code}`;
      this.failures[name] = (this.failures[name] ?? 0) + 1;
    } else if (line.event !== undefined) {
      const told = this.events.get(line.session) ?? [];
      told.push({ process, ...line });
      this.events.set(line.session, told);
    } else if (line.struck !== undefined) this.struck[line.struck] = (this.struck[line.struck] ?? 0) + 1;
    else if (line.audit !== undefined) this.audits.set(line.audit, line);
  }

  /** The process is dead: its open calls have no outcome. */
  died(process, at) {
    for (const [id, call] of this.#live) {
      if (call.process !== process) continue;
      call.ended = at;
      this.#live.delete(id);
    }
  }

  #end(id, outcome, { at, popped, doubled, verified, tries, conversationId, cleared, code, message }) {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    Object.assign(call, { outcome, ended: at, popped, tries, conversationId, cleared, code, message });
    this.#live.delete(id);
    for (const token of doubled ?? []) this.sawDouble.push(`${call.session} ${token}`);
    if (verified === false) this.unverified += 1;
  }

  of(session) {
    return [...this.#calls.values()].filter((call) => call.session === session);
  }

  count(outcome) {
    return [...this.#calls.values()].filter((call) => call.outcome === outcome && !this.#live.has(call.id))
      .length;
  }

  get size() {
    return this.#calls.size;
  }
}
