/** What a client can ask for, named as the methods of the `openai` client. */
export type Operation =
  | 'conversations.create'
  | 'conversations.retrieve'
  | 'conversations.update'
  | 'conversations.delete'
  | 'conversations.items.create'
  | 'conversations.items.list'
  | 'conversations.items.retrieve'
  | 'conversations.items.delete'
  | 'responses.create'
  | 'responses.retrieve'
  | 'responses.delete'
  | 'responses.cancel'
  | 'responses.compact'
  | 'responses.inputItems.list'
  | 'responses.inputTokens.count';
