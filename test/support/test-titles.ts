/** A call with a title: `it('...',`, `test.each(rows)('...',` or the end of one that began on an earlier line. */
const TITLED =
  /(?:(?<![\w.])(?<call>describe|it|test)[.\w]*\(|\)\s*\()\s*(?<quote>['"`])(?<title>(?:\\.|(?!\k<quote>).)*)\k<quote>,/gs;

/** The titles of the tests in a formatted file, without those of `describe`. */
export function testTitles(text: string): string[] {
  return [...text.matchAll(TITLED)].flatMap(({ index, groups }) => {
    const call = groups?.['call'] ?? beginning(text.slice(0, index));
    return call === 'it' || call === 'test' ? [groups?.['title'] ?? ''] : [];
  });
}

/** The call that ends here with a title: the formatter gives its first line the indent of its last. */
function beginning(before: string): string | undefined {
  const lines = before.split('\n');
  const indent = /^ */.exec(lines.at(-1) ?? '')?.[0] ?? '';
  return lines
    .toReversed()
    .map((line) => /^(?<indent> *)(?:return )?(?<call>describe|it|test)\b/.exec(line)?.groups)
    .find((found) => found?.['indent'] === indent)?.['call'];
}
