// The texts of a conversation: the same for every contestant, turn by turn.

const WORDS =
  'the harbour keeps its lights on until every boat that left in the morning has been counted in'.split(' ');
const QUESTION = 120;
const ANSWER = 600;

/** So many characters of words, beginning with the given ones. */
function words(beginning, length) {
  let text = beginning;
  for (let index = beginning.length; text.length < length; index += 1) {
    text += ` ${WORDS[index % WORDS.length]}`;
  }
  return text.slice(0, length);
}

/** The user's text in a turn, counted from 1. */
export function question(turn) {
  return words(`Turn ${String(turn).padStart(6, '0')}: what came next?`, QUESTION);
}

/** The model's answer in a turn. */
function answer(turn) {
  return words(`Answer ${String(turn).padStart(6, '0')}.`, ANSWER);
}

/** The model: answers the turn that the newest question belongs to. */
export function answerTo(context) {
  const content = context.at(-1)?.content;
  const text = Array.isArray(content) ? content.map((part) => part.text ?? '').join('') : String(content);
  return answer(Number(/\d+/.exec(text)?.[0] ?? 0));
}

/** The items of the turns from `from` to `to`, as a run adds them to its session. */
export function itemsOfTurns(from, to) {
  const items = [];
  for (let turn = from; turn <= to; turn += 1) {
    items.push(
      { type: 'message', role: 'user', content: question(turn) },
      {
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [
          { type: 'output_text', text: answer(turn), providerData: { annotations: [], logprobs: [] } },
        ],
        providerData: {},
      },
    );
  }
  return items;
}
