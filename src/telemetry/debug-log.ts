import { getLogger } from '@openai/agents';
import type { ObservedOperation, OperationName, SessionObserver } from './observer.ts';

/** Belongs to the SDK's own loggers: `DEBUG=openai-agents*` shows all of them. */
const logger = getLogger('openai-agents:hybrid-session');

/** Writes the same facts to the SDK's debug logger, one line each. */
export const debugLog: SessionObserver = {
  begin: (name) => (isOff() ? undefined : logged(name)),
  event: ({ type, ...facts }) => logger.debug('%s %j', type, facts),
};

/** Nothing is made ready for a logger that says of itself that nobody reads it. */
function isOff(): boolean {
  return Reflect.get(logger.debug, 'enabled') === false;
}

function logged(name: OperationName): ObservedOperation {
  return {
    begin: (part) => logged(part),
    end: (facts, failure) => {
      if (failure === undefined) logger.debug('%s %j', name, facts);
      else logger.debug('%s failed (%s) %j', name, failure, facts);
    },
  };
}
