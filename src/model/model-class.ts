import { OpenAIResponsesModel, type Model } from '@openai/agents';

/** Whether a model speaks the Responses API and answers with all that the server keeps of its answer. */
export function speaksResponses(model: Model): boolean {
  const names = classNames(model);
  // Its answers leave out what its agents said among themselves.
  if (names.includes('OpenAIHostedMultiAgentModel')) return false;
  return model instanceof OpenAIResponsesModel || names.includes('OpenAIResponsesModel');
}

/** Whether a model speaks the Responses API over a WebSocket. */
export function usesWebSocket(model: Model): boolean {
  return classNames(model).includes('OpenAIResponsesWSModel');
}

/** The names of an object's classes: by name too, since an app may hold two copies of the SDK. */
export function classNames(object: object): string[] {
  const names: string[] = [];
  let type: unknown = object.constructor;
  while (typeof type === 'function') {
    names.push(type.name);
    type = Object.getPrototypeOf(type);
  }
  return names;
}
