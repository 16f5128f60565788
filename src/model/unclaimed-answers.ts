import { LRUCache } from 'lru-cache';
import type { Answer } from './chain.ts';

/** Answers to requests of which it was not known whose they are, until a session is told that it was its own. */
const unclaimed = new LRUCache<string, Answer>({ max: 1000 });

/** Keeps an answer for the session that will ask for it. */
export function leaveAnswer(answer: Answer): void {
  unclaimed.set(answer.id, answer);
}

/** The answer with this ID, once. */
export function claimAnswer(id: string): Answer | undefined {
  const answer = unclaimed.get(id);
  unclaimed.delete(id);
  return answer;
}
