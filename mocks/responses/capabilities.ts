import { effortOf, reasons } from '../model/model-traits.ts';
import { errors } from '../wire/error-catalogue.ts';
import { isJsonObject, type JsonObject } from '../wire/json-object.ts';

/**
 * Refuses what the model cannot do: sampling parameters while it reasons, reasoning if it never does.
 * @throws ApiError in the API's words.
 */
export function checkCapabilities(model: string, sent: JsonObject): void {
  if (reasons(model, sent)) {
    for (const param of ['temperature', 'top_p']) {
      if (typeof sent[param] === 'number') throw errors.unsupportedParameter(param);
    }
  }
  const { reasoning } = sent;
  const asksEffort = isJsonObject(reasoning) && typeof reasoning['effort'] === 'string';
  if (asksEffort && effortOf(model, {}) === null) throw errors.unsupportedParameter('reasoning.effort');
}
