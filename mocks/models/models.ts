import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { snapshotOf } from '../model/model-traits.ts';
import type { JsonObject } from '../wire/json.ts';

/** The listed models; each dated snapshot is listed, too. Any other name will do in a request. */
const LISTED = [
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-4.1-nano',
  'gpt-4o',
  'gpt-4o-mini',
  'gpt-5',
  'gpt-5-mini',
  'gpt-5-nano',
  'gpt-5.1',
  'gpt-5.2',
  'gpt-5.4',
  'gpt-5.5',
  'o3',
  'o4-mini',
];

/** 2025-01-01T00:00:00Z, for all models. */
const CREATED = 1_735_689_600;

/** `GET /models` */
export function listModels(): Answer {
  const names = new Set(LISTED.flatMap((name) => [name, snapshotOf(name)]));
  return json({ object: 'list', data: Array.from(names, modelOf) });
}

/** `GET /models/{model}`: every name is a model, as in a request. */
export function retrieveModel({ params: [name = ''] }: Exchange): Answer {
  return json(modelOf(name));
}

function modelOf(id: string): JsonObject {
  return { id, object: 'model', created: CREATED, owned_by: 'system' };
}
