import type { Session } from '@openai/agents';

/** The same session, some of whose methods are these instead. */
export function sessionWith(session: Session, methods: Partial<Session>): Session {
  const bound = new WeakMap<object, unknown>();
  return new Proxy(session, {
    get(target, property) {
      if (Object.hasOwn(methods, property)) return Reflect.get(methods, property);
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      let own = bound.get(member);
      if (own === undefined) bound.set(member, (own = member.bind(target)));
      return own;
    },
  });
}
