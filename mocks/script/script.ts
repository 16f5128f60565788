import { checkReply } from './check-reply.ts';
import { answerWith, type Reply } from './reply.ts';
import { checkMatch, describeMatch, mismatch, type AskedModel, type RequestMatch } from './request-match.ts';
import { ScriptedError } from './scripted-error.ts';
import type { ModelAnswer, ModelRequest, Respond } from '../model/answer.ts';
import type { SimulatorItem } from '../wire/item.ts';

/** Takes the replies to the requests of a match. Each method returns a function that takes them back. */
export interface Scripting {
  /** Gives each of these replies once, in this order. */
  reply(...replies: readonly Reply[]): () => void;
  /** Gives this reply to every request. */
  always(reply: Reply): () => void;
}

interface Rule {
  readonly match: RequestMatch;
  /** The number of replies when the rule was set. */
  readonly count: number;
  readonly isLasting: boolean;
  replies: readonly Reply[];
}

/**
 * The replies that tests wrote, in front of `respond` and the built-in model. The first rule that fits and has a reply
 * left answers.
 */
export class Script {
  readonly #respond: Respond | undefined;
  #rules: Rule[] = [];

  /** @param respond answers in the place of the built-in model. */
  constructor(respond: Respond | undefined) {
    this.#respond = respond;
  }

  /** @throws RangeError or TypeError for a match or a reply that makes no sense. */
  when(match: RequestMatch): Scripting {
    checkMatch(match);
    const add = (replies: readonly Reply[], isLasting: boolean): (() => void) => {
      if (replies.length === 0) throw new RangeError('Cannot script a reply: there is none');
      for (const reply of replies) checkReply(reply);
      const rule: Rule = { match, count: replies.length, isLasting, replies };
      this.#rules.push(rule);
      return () => {
        this.#rules = this.#rules.filter((each) => each !== rule);
      };
    };
    return { reply: (...replies) => add(replies, false), always: (reply) => add([reply], true) };
  }

  /**
   * The answer of the script, or of `respond`; `undefined` leaves it to the built-in model.
   * @throws ScriptedError if the reply is an error, or there are rules but none fits.
   */
  async answer(
    context: readonly SimulatorItem[],
    request: ModelRequest,
  ): Promise<string | ModelAnswer | undefined> {
    const asked = { context, request };
    const rule = this.#rules.find(({ match, replies }) => replies.length > 0 && !mismatch(match, asked));
    const reply = rule?.replies[0];
    if (rule !== undefined && reply !== undefined) {
      if (!rule.isLasting) rule.replies = rule.replies.slice(1);
      return answerWith(reply, asked);
    }
    if (this.#respond !== undefined) return answerWith(this.#respond, asked);
    if (this.#rules.length > 0) throw this.#noReply(asked);
    return undefined;
  }

  /** Forgets every reply. */
  reset(): void {
    this.#rules = [];
  }

  #noReply(asked: AskedModel): ScriptedError {
    const rules = this.#rules.map(({ match, count }, index) => {
      const reason =
        mismatch(match, asked) ?? `${count === 1 ? 'its reply is' : `its ${count} replies are`} given`;
      return `${index + 1}. ${describeMatch(match)}: ${reason}.`;
    });
    return new ScriptedError({
      status: 400,
      code: 'no_scripted_reply',
      message: `The simulator has no reply for this request. ${rules.join(' ')}`,
    });
  }
}
