// GET: the conversation so far. POST: a question; the answer is streamed as text.
import { after } from 'next/server';
import { agent, runner, sessionOf } from '../../../lib/chat.js';

// SQLite needs Node; the history of a user is never cached.
export const runtime = 'nodejs';
export const dynamic = 'force-dynamic';

/** The user of a request. An app reads it from its own sign-in, never from a header that anybody can send. */
function userOf(request) {
  return request.headers.get('x-user') ?? 'guest';
}

export async function GET(request) {
  const turns = await sessionOf(userOf(request)).turns({ order: 'oldest', limit: 50 });
  return Response.json(turns.flatMap(({ items }) => items.filter(({ role }) => role !== undefined)));
}

export async function POST(request) {
  const session = sessionOf(userOf(request));
  const { message } = await request.json();
  if (typeof message !== 'string' || message === '') return new Response('No message', { status: 400 });
  // A client that goes away ends the run; what was said so far stays in the session.
  const { signal } = request;
  const streamed = await runner.run(agent, message, { session, stream: true, signal });
  // Behind the response: the conversation at OpenAI is brought up to date.
  after(async () => {
    await streamed.completed.catch(() => undefined);
    await session.flush({ timeout: 10_000 });
  });
  const text = streamed.toTextStream().pipeThrough(new TextEncoderStream());
  return new Response(text, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
