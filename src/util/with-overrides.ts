import type { Session } from '@openai/agents';

/** The same session, some of whose methods are these instead. */
export function sessionWith(session: Session, methods: Partial<Session>): Session {
  return new Proxy(session, {
    get(target, property) {
      if (Object.hasOwn(methods, property)) return Reflect.get(methods, property);
      const member: unknown = Reflect.get(target, property, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}
