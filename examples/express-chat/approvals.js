// The runs that wait for a decision. A run is saved whole, so any process can continue it, also after a restart.

/** Milliseconds for which a process that continues a run keeps others from doing the same; if it dies, they may. */
const CLAIM = 60_000;

export function approvalsIn({ query }, now = Date.now) {
  return {
    /** Saves a run that waits, in the place of an earlier one of the chat. */
    async save(chatId, state) {
      await query(
        `INSERT INTO chat_approvals (chat_id, state, claimed_until) VALUES ($1, $2, 0)
         ON CONFLICT (chat_id) DO UPDATE SET state = excluded.state, claimed_until = 0`,
        [chatId, state],
      );
    },
    /** Whether a run of the chat waits. */
    async isPending(chatId) {
      const rows = await query('SELECT 1 AS found FROM chat_approvals WHERE chat_id = $1', [chatId]);
      return rows.length > 0;
    },
    /** Claims the run that waits. @returns its state, or undefined if there is none or another request continues it. */
    async claim(chatId) {
      const [row] = await query(
        'UPDATE chat_approvals SET claimed_until = $2 WHERE chat_id = $1 AND claimed_until < $3 RETURNING state',
        [chatId, now() + CLAIM, now()],
      );
      return row?.state;
    },
    /** Gives a claimed run back: it waits again. */
    async release(chatId) {
      await query('UPDATE chat_approvals SET claimed_until = 0 WHERE chat_id = $1', [chatId]);
    },
    /** Forgets a run that has ended. */
    async remove(chatId) {
      await query('DELETE FROM chat_approvals WHERE chat_id = $1', [chatId]);
    },
  };
}
