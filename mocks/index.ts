export { createSimulator, type Simulator } from './create-simulator.ts';
export { createSimulatorCore, type SimulatorCore } from './simulator.ts';
export type { SimulatorOptions } from './options.ts';
export type { ModelAnswer, ModelRequest, Respond, ToolCall } from './model/answer.ts';
export type { UnlinkPolicy, UnlinkPolicyName, UnlinkTurn } from './unlinking.ts';
export type {
  Fault,
  FaultDetails,
  FaultedRequest,
  FaultTiming,
  NamedFault,
  StatusFault,
} from './faults/fault.ts';
export type { FaultName } from './faults/fault-table.ts';
export type { Operation } from './http/operations.ts';
export type { LogEntry } from './http/log.ts';
export type { Listening, ListenOptions } from './http/listen.ts';
export type { ConversationSnapshot, ResponseSnapshot, SimulatorSnapshot } from './snapshot.ts';
export type { Lag } from './world/conversation-list.ts';
export { textOf, type SimulatorItem } from './wire/item.ts';
export { outline } from './wire/outline.ts';
