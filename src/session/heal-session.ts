import { HealError } from '../errors/heal-error.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import { heal } from './heal.ts';
import type { Healed, HealOptions } from './healed.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { SessionLife } from './session-life.ts';

/** Heals a session that has a conversation, and lets it go on in the new one. */
export async function healSession(
  life: SessionLife,
  options: ResolvedOptions,
  how: HealOptions,
): Promise<Healed> {
  const { sessionId } = options;
  if (sessionId !== undefined) throw new HealError(sessionId, 'no-conversation');
  await life.aside(async (conversationId) => {
    if (conversationId === undefined) throw new HealError('', 'nothing-to-heal');
  });
  const emit = (event: HybridSessionEvent): void => life.telemetry.event(event);
  return life.run(async (open, mode) => {
    const healed = await heal(open, mode, options, emit, how);
    if (healed.conversationId !== open.attachment.sessionId) life.moved(healed.conversationId);
    return healed;
  });
}
