import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';

/** The parts of generated content. */
export interface Vocabulary {
  readonly text: Arbitrary<string>;
  /** Names, IDs and the like: never empty. */
  readonly word: Arbitrary<string>;
}

/** Texts as they come: empty, long, in any script, or looking like something else. */
export const anyText: Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'grapheme' }) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary' }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      '\n',
      '\0',
      '\u{1F469}\u200D\u{1F4BB}',
      'ﷺ',
      '__proto__',
      'null',
      '{}',
      '[["text","a"]]',
    ),
  },
  { weight: 1, arbitrary: fc.constant('long '.repeat(5_000)) },
);

/** Every text there is, and words that trip over prototypes. */
export const anyVocabulary: Vocabulary = {
  text: anyText,
  word: fc.oneof(
    fc.stringMatching(/^[a-z][a-z0-9_]{0,11}$/),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'fooBar', 'foo_bar', '名前'),
  ),
};

/** So few texts that equal items are common. */
export const smallVocabulary: Vocabulary = {
  text: fc.constantFrom('', 'a', 'b'),
  word: fc.constantFrom('x', 'y'),
};

/** An object of exactly these fields; the optional ones may be absent. */
export function record(
  required: Readonly<Record<string, Arbitrary<unknown>>>,
  optional: Readonly<Record<string, Arbitrary<unknown>>> = {},
): Arbitrary<Record<string, unknown>> {
  return fc.record(
    { ...required, ...optional },
    { requiredKeys: Object.keys(required), noNullPrototype: true },
  );
}

/** Base64, a data URL, the URL of a picture, the ID of an upload. */
export function media({
  word,
}: Vocabulary): Readonly<Record<'base64' | 'dataUrl' | 'url' | 'fileId', Arbitrary<string>>> {
  const base64 = word.map((name) => btoa(encodeURIComponent(name)));
  return {
    base64,
    dataUrl: base64.map((data) => `data:image/png;base64,${data}`),
    url: word.map((name) => `https://pictures.test/${encodeURIComponent(name)}`),
    fileId: word.map((name) => `file-${name}`),
  };
}

/** The parts of a user's message: text, pictures and files, each in every form that the SDK can send. */
export function userPart(vocabulary: Vocabulary): Arbitrary<unknown> {
  const { base64, dataUrl, url, fileId } = media(vocabulary);
  return fc.oneof(
    record({ type: fc.constant('input_text'), text: vocabulary.text }),
    imagePart(vocabulary),
    record(
      {
        type: fc.constant('input_file'),
        file: fc.oneof(base64, dataUrl, url, record({ url }), record({ id: fileId })),
      },
      { filename: vocabulary.word, providerData: record({ detail: fc.constantFrom('low', 'high', 'auto') }) },
    ),
  );
}

/** A picture as a user or a tool gives it. */
function imagePart(vocabulary: Vocabulary): Arbitrary<Record<string, unknown>> {
  const { dataUrl, url, fileId } = media(vocabulary);
  return record(
    { type: fc.constant('input_image'), image: fc.oneof(dataUrl, url, record({ id: fileId })) },
    { detail: fc.constantFrom('low', 'high', 'auto') },
  );
}

/** The parts of an assistant's message, with the API's annotations as the SDK keeps them. */
export function assistantPart({ text, word }: Vocabulary): Arbitrary<unknown> {
  const annotation = record({ type: fc.constant('url_citation'), url: word, start_index: fc.nat() });
  const data = record({}, { annotations: fc.array(annotation, { maxLength: 2 }), logprobs: fc.constant([]) });
  return fc.oneof(
    record({ type: fc.constant('output_text'), text }, { providerData: data }),
    record({ type: fc.constant('refusal'), refusal: text }),
  );
}

/** The result of a function call: text, the objects of earlier SDK versions, or a list of parts. */
export function toolOutput(vocabulary: Vocabulary): Arbitrary<unknown> {
  const { text, word } = vocabulary;
  const { base64, dataUrl, url, fileId } = media(vocabulary);
  const detail = { detail: fc.constantFrom('low', 'high', 'auto') };
  const mediaType = fc.constantFrom('image/png', 'application/pdf');
  const picture = fc.oneof(
    dataUrl,
    url,
    record({ url }),
    record({ fileId }),
    record({ data: base64 }, { mediaType }),
    record({ data: dataUrl }, { mediaType }),
  );
  const file = fc.oneof(
    base64,
    dataUrl,
    url,
    record({ data: base64, filename: word }, { mediaType }),
    record({ url }, { filename: word }),
    record({ id: fileId }, { filename: word }),
  );
  return fc.oneof(
    text,
    record({ type: fc.constant('text'), text }),
    record({ type: fc.constant('image'), image: picture }, detail),
    record({ type: fc.constant('image'), imageUrl: url }, detail),
    record({ type: fc.constant('image'), fileId }, detail),
    record({ type: fc.constant('image'), data: base64 }, { ...detail, mediaType }),
    record({ type: fc.constant('file'), file }),
    record({ type: fc.constant('file'), fileUrl: url }, { filename: word }),
    record({ type: fc.constant('file'), fileData: base64 }, { filename: word, mediaType }),
    fc.array(
      fc.oneof(
        record({ type: fc.constant('input_text'), text }),
        imagePart(vocabulary),
        record(
          {
            type: fc.constant('input_file'),
            file: fc.oneof(base64, dataUrl, url, record({ url }), record({ id: fileId })),
          },
          { filename: word },
        ),
      ),
      { maxLength: 4 },
    ),
  );
}
