/** What follows the name of a model in the name of its snapshot. */
const SNAPSHOT = /^-\d{4}-\d{2}-\d{2}$|^-\d{4,8}$/;

/**
 * Whether a pattern means a model.
 *
 * `gpt-5.4` is that model and its dated snapshots, not `gpt-5.4-mini`; `gpt-5.4*` is everything that begins so. A model
 * that was fine-tuned counts as the one it was made from, and `openai/gpt-5.4` as `gpt-5.4` too.
 */
export function matchesModel(pattern: string | RegExp, model: string): boolean {
  const name = model.startsWith('ft:') ? (model.split(':')[1] ?? model) : model;
  return [name, name.slice(name.lastIndexOf('/') + 1)].some((one) => matchesName(pattern, one));
}

function matchesName(pattern: string | RegExp, name: string): boolean {
  if (pattern instanceof RegExp)
    return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, '')).test(name);
  const [head = '', ...rest] = pattern.split('*');
  if (!name.startsWith(head)) return false;
  if (rest.length === 0) return name === head || SNAPSHOT.test(name.slice(head.length));
  return globMatches(name.slice(head.length), rest);
}

/** Whether the text consists of anything, then each piece in turn with anything between; the last one at the end. */
function globMatches(text: string, pieces: readonly string[]): boolean {
  let from = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index === pieces.length - 1) return text.length - from >= piece.length && text.endsWith(piece);
    const at = text.indexOf(piece, from);
    if (at === -1) return false;
    from = at + piece.length;
  }
  return true;
}
