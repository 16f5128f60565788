import OpenAI from 'openai';

/** A client whose server speaks Chat Completions only and always says the same. */
export interface ChatClient {
  readonly client: OpenAI;
  /** The bodies that were sent. */
  readonly bodies: readonly Record<string, unknown>[];
}

export function chatClient(text: string): ChatClient {
  const bodies: Record<string, unknown>[] = [];
  const client = new OpenAI({
    apiKey: 'test',
    baseURL: 'http://127.0.0.1/v1',
    maxRetries: 0,
    fetch: async (_url, init) => {
      const body: Record<string, unknown> = JSON.parse(typeof init?.body === 'string' ? init.body : '{}');
      bodies.push(body);
      return body['stream'] === true ? streamed(text) : Response.json(completion(text));
    },
  });
  return { client, bodies };
}

const shared = { id: 'chatcmpl_1', created: 1, model: 'chat' };
const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };

function completion(content: string): object {
  const message = { role: 'assistant', content, refusal: null };
  return {
    ...shared,
    object: 'chat.completion',
    usage,
    choices: [{ index: 0, finish_reason: 'stop', logprobs: null, message }],
  };
}

function streamed(content: string): Response {
  const chunks = [
    { choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }] },
    { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    { choices: [], usage },
  ];
  const events = chunks.map((chunk) => {
    const data = { ...shared, object: 'chat.completion.chunk', ...chunk };
    return `data: ${JSON.stringify(data)}\n\n`;
  });
  return new Response(`${events.join('')}data: [DONE]\n\n`, {
    headers: { 'content-type': 'text/event-stream' },
  });
}
