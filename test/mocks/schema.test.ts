import { beforeAll, describe, expect, it } from 'vitest';
import { operations } from '../../mocks/http/operations.ts';
import { STREAM_EVENTS } from '../../mocks/responses/stream-events.ts';
import { ApiSchema, hasApiSchema } from './schema/api-schema.ts';
import { recordCorpus } from './schema/corpus.ts';
import { deviations, mended, type Deviation } from './schema/deviations.ts';
import type { Recorded } from './schema/recorder.ts';

const WHY_SKIPPED = hasApiSchema
  ? ''
  : ' (skipped: the schema file, which is not part of this repository, is absent)';

describe.skipIf(!hasApiSchema)(`the answers against the schema of the API${WHY_SKIPPED}`, () => {
  let schema: ApiSchema;
  let recorded: readonly Recorded[];

  beforeAll(async () => {
    schema = new ApiSchema();
    recorded = await recordCorpus();
  });

  const faults = (except?: Deviation): string[] =>
    recorded.flatMap(({ operation, status, body, events }) => {
      if (status >= 400) return schema.faults('ErrorResponse', body);
      const eventFaults = events
        .map((event) => mended({ ...event }, except))
        .flatMap((event) => schema.eventFaults(String(event['type']), event));
      if (events.length > 0 || !operation) return eventFaults;
      return schema.bodyFaults(operation, mended(Object.assign({}, body), except));
    });

  it('the corpus covers every operation and every event', () => {
    const served = recorded.filter(({ status }) => status === 200);
    expect(new Set(served.map(({ operation }) => operation))).toEqual(new Set(operations));
    const events = new Set(recorded.flatMap((answer) => answer.events.map(({ type }) => type)));
    expect(events).toEqual(new Set<string>(STREAM_EVENTS));
  });

  it('every answer and every event is valid but for the known deviations', () => {
    expect(faults()).toEqual([]);
  });

  it.each(deviations)('the schema refuses a deviation: $name', (deviation) => {
    expect(faults(deviation)).not.toEqual([]);
  });
});
