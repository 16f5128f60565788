'use client';

import { useEffect, useState } from 'react';

const textOf = ({ content }) =>
  typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('');

export default function Page() {
  const [lines, setLines] = useState([]);
  const [isBusy, setIsBusy] = useState(false);

  useEffect(() => {
    async function load() {
      const items = await (await fetch('/api/chat')).json();
      setLines(items.map((item) => ({ role: item.role, text: textOf(item) })));
    }
    void load();
  }, []);

  async function ask(event) {
    event.preventDefault();
    const form = event.currentTarget;
    const message = new FormData(form).get('message');
    form.reset();
    setIsBusy(true);
    setLines((before) => [...before, { role: 'user', text: message }, { role: 'assistant', text: '' }]);
    const response = await fetch('/api/chat', { method: 'POST', body: JSON.stringify({ message }) });
    for await (const piece of response.body.pipeThrough(new TextDecoderStream()))
      setLines((before) => [...before.slice(0, -1), { role: 'assistant', text: before.at(-1).text + piece }]);
    setIsBusy(false);
  }

  return (
    <main>
      <ol>
        {lines.map(({ role, text }, index) => (
          <li key={index}>
            {role}: {text}
          </li>
        ))}
      </ol>
      <form onSubmit={ask}>
        <input name="message" required disabled={isBusy} />
        <button disabled={isBusy}>Send</button>
      </form>
    </main>
  );
}
