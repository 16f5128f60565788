/** The session goes on under another ID, where what was to be done has to be done. The session sees to it; no user does. */
export class SessionMoved extends Error {
  override readonly name = 'SessionMoved';
  readonly to: string;

  constructor(sessionId: string, to: string) {
    super(`Cannot go on with session '${sessionId}': its history was moved to '${to}'`);
    this.to = to;
  }
}
