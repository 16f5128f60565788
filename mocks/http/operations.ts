/** Everything a client can ask for, named as the methods of the `openai` client. */
export const operations = [
  'conversations.create',
  'conversations.retrieve',
  'conversations.update',
  'conversations.delete',
  'conversations.items.create',
  'conversations.items.list',
  'conversations.items.retrieve',
  'conversations.items.delete',
  'responses.create',
  'responses.retrieve',
  'responses.delete',
  'responses.cancel',
  'responses.compact',
  'responses.inputItems.list',
  'responses.inputTokens.count',
  'models.list',
  'models.retrieve',
] as const;

/** One of them. */
export type Operation = (typeof operations)[number];
