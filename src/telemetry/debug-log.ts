import { getLogger } from '@openai/agents';
import { escapeTexts } from '../util/escape-controls.ts';
import type { ObservedOperation, OperationName, SessionObserver } from './observer.ts';

/** One of the SDK's loggers, which `DEBUG=openai-agents*` shows. */
const logger = getLogger('openai-agents:hybrid-session');

/** Writes events and operations to the SDK's debug logger, one line each. */
export const debugLog: SessionObserver = {
  begin: (name) => (isOff() ? undefined : logged(name)),
  event: ({ type, ...facts }) => (isOff() ? undefined : logger.debug('%s %j', type, escapeTexts(facts))),
};

/** A disabled logger costs no formatting. Without `DEBUG`, the logger says `undefined`. */
function isOff(): boolean {
  return Reflect.has(logger.debug, 'enabled') && Reflect.get(logger.debug, 'enabled') !== true;
}

function logged(name: OperationName): ObservedOperation {
  return {
    begin: (child) => logged(child),
    end: (facts, failure) => {
      if (failure === undefined) logger.debug('%s %j', name, escapeTexts(facts));
      else logger.debug('%s failed (%s) %j', name, failure, escapeTexts(facts));
    },
  };
}
