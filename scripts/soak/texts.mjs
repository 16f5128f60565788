/** The text of each item of a history; reasoning has none. */
export function textsOf(items) {
  return items.filter(({ role }) => role !== undefined).map(({ content }) => contentText(content));
}

function contentText(content) {
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? '').join('');
}
