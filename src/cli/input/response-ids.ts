import { UsageError, type CliIo } from '../command.ts';

/** A longer piece of text is searched before its line ends. */
const MAX_PIECE_LENGTH = 65_536;

/** A longer text without a gap holds at most an ID at its end. */
const MAX_ID_LENGTH = 1000;

const ID = /resp_[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*/g;

/**
 * The response IDs of `--response`, each once, in order; `-` stands for all IDs in the text on standard input: a list, a
 * log, JSON Lines, traces.
 *
 * @throws UsageError for a value that cannot be a response's ID.
 */
export async function readResponseIds(
  command: string,
  values: readonly string[],
  io: Pick<CliIo, 'input' | 'terminal' | 'err'>,
  signal: AbortSignal,
): Promise<string[]> {
  for (const value of values) {
    if (value === '-' || /^[^\s/?#]+$/.test(value)) continue;
    throw new UsageError(
      '--response must be the ID of a response, or - for a list on standard input',
      `agents-hybrid-session ${command} conv_... --response resp_...`,
    );
  }
  const ids = new Set<string>();
  for (const value of values) {
    if (value !== '-') {
      ids.add(value);
      continue;
    }
    if (io.terminal.input) io.err('Reading the IDs of responses from standard input; end with Ctrl-D.\n');
    for await (const piece of whole(io.input(signal))) for (const id of responseIdsIn(piece)) ids.add(id);
  }
  return [...ids];
}

/** Every response's ID in a text, in order. A name that is followed by its value, such as `resp_id=`, is none. */
export function responseIdsIn(text: string): string[] {
  return Array.from(text.matchAll(ID)).flatMap(({ 0: id, index }) => {
    const rest = text.slice(index + id.length, index + id.length + 8);
    return /\d/.test(id) || !/^\\?["']?\s*[:=]/.test(rest) ? [id] : [];
  });
}

/** Pieces that end where no ID can be cut in two. */
async function* whole(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    rest += piece;
    const end =
      rest.lastIndexOf('\n') + 1 ||
      (rest.length > MAX_PIECE_LENGTH ? lastGap(rest) || rest.length - MAX_ID_LENGTH : 0);
    if (end === 0) continue;
    yield rest.slice(0, end);
    rest = rest.slice(end);
  }
  yield rest;
}

function lastGap(text: string): number {
  return Math.max(...[' ', ',', '{', '}', '[', ']'].map((gap) => text.lastIndexOf(gap))) + 1;
}
