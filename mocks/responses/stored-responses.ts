import { liveResponse } from './input-context.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { errors } from '../wire/error-catalogue.ts';
import { listPage, parsePageQuery } from '../wire/list-page.ts';
import type { ResponseRecord } from '../world/records.ts';

/** The response that the path names. @throws ApiError 404 if there is none, or no more. */
export function namedResponse(exchange: Exchange): ResponseRecord {
  const [id = ''] = exchange.params;
  const response = liveResponse(exchange.world, exchange.account, id);
  if (!response) throw errors.responseNotFound(id);
  return response;
}

/** `GET /responses/{id}` */
export function retrieveResponse(exchange: Exchange): Answer {
  return json(namedResponse(exchange).body);
}

/** `DELETE /responses/{id}`: its items stay, and its children keep their context. */
export function deleteResponse(exchange: Exchange): Answer {
  const { id } = namedResponse(exchange);
  exchange.account.deleteResponse(id);
  return json({ id, object: 'response', deleted: true });
}

/** `GET /responses/{id}/input_items`: the response's own input, or everything the model saw, as the simulator is set. */
export function listInputItems(exchange: Exchange): Answer {
  const response = namedResponse(exchange);
  const query = parsePageQuery(exchange.query);
  const { account, world, faults } = exchange;
  const items =
    world.settings.inputItems === 'own'
      ? account.itemsOf(response.ownInput)
      : account.itemsIn(response.context);
  return json(listPage(faults.listed(items), query));
}
