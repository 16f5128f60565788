/** The key that a ledger's head takes among a conversation's metadata; all others are the user's. */
export const METADATA_KEY = 'hybrid_session';
