export { createMswSimulator as createSimulator, type MswSimulator as Simulator } from './msw-simulator.ts';
export type { SimulatedClientOptions, SimulatedRunnerOptions } from './create-simulator.ts';
export type { SimulatorCore } from './simulator.ts';
export type { SimulatorOptions } from './options.ts';
export type { Profile } from './profiles/profile.ts';
export type { ProfileName } from './profiles/profile-table.ts';
export type { ModelAnswer, ModelRequest, Pace, Respond, ToolCall } from './model/answer.ts';
export type { Reply } from './script/reply.ts';
export type { RequestMatch } from './script/request-match.ts';
export type { Scripting } from './script/script.ts';
export type { RecordOptions } from './upstream/recorder.ts';
export type { UnlinkPolicy, UnlinkPolicyName, UnlinkTurn } from './unlinking.ts';
export type { Fault, NamedFault, StatusFault } from './faults/fault-table.ts';
export type { FaultDetails, FaultedRequest, FaultTiming } from './faults/fault.ts';
export type { StatusError } from './faults/status-error.ts';
export type { FaultName } from './faults/fault-table.ts';
export type { Operation } from './http/operations.ts';
export type { LogEntry } from './http/log.ts';
export type { Listening, ListenOptions } from './http/listen.ts';
export type {
  AccountSnapshot,
  ConversationSnapshot,
  ResponseSnapshot,
  SimulatorSnapshot,
} from './snapshot.ts';
export type { Lag } from './world/conversation-list.ts';
export { foldedItems } from './model/summary.ts';
export { textOf, type SimulatorItem } from './wire/item.ts';
export { outline } from './wire/outline.ts';
