export { HybridRunner, type HybridRunnerConfig } from './runner/hybrid-runner.ts';
export { run } from './runner/run.ts';
export { HybridSession } from './session/hybrid-session.ts';
export type { AdvancedOptions, HybridSessionOptions } from './runtime/options.ts';
export type {
  CompactionFacts,
  CompactionFunction,
  CompactionOptions,
  HistoryOptions,
  WindowOptions,
} from './runtime/history-options.ts';
export type { TranscriptItem, TranscriptOptions, TranscriptPage } from './session/turns/transcript.ts';
export type { Branch, ForkOptions } from './session/turns/fork.ts';
export type { SessionMetadata } from './ledger/record.ts';
export type { TokenUsage } from './chaining/port.ts';
export type { SessionUsage, Turn, TurnResponse, TurnsOptions } from './session/turns/turns.ts';
export type { UndoOptions } from './session/turns/undo.ts';
export type { EventListener, HybridSessionEvent, TurnChain, TurnEvent } from './telemetry/events.ts';
export type { SourceCounts } from './history/restore.ts';
export type { WarningCode, WarningEvent } from './telemetry/events.ts';
export type {
  ObservedOperation,
  OperationFacts,
  OperationName,
  SessionObserver,
} from './telemetry/observer.ts';
export type { LossStats, PlanStats, SessionStats } from './telemetry/stats.ts';
export { mergeStats, statsCollector, type StatsCollector } from './telemetry/stats-collector.ts';
export type { Erased } from './session/erase.ts';
export { conversationMetadata, type ConversationMetadata } from './conversation/metadata.ts';
export type { FlushOptions } from './session/flush.ts';
export {
  changeTime,
  sweepSessions,
  type Swept,
  type SweepOptions,
  type SweptSession,
} from './session/sweep.ts';
export { closeAll } from './session/close-all.ts';
export type { AllClosed, CloseAllOptions, UnfinishedSession } from './session/close-all.ts';
export type { Healed, HealOptions, HealPlan, HealProgress, HealStep } from './heal/healed.ts';
export type { HistoryReport } from './runtime/verify.ts';
export { chainedModel } from './chaining/chained-model.ts';
export { chainedProvider } from './chaining/chained-model.ts';
export type { FullHistoryReason, HistoryObserver } from './chaining/history-reference.ts';
export type { PlannedRequest, ShadowPlan } from './chaining/port.ts';
export type { InterruptedCalls } from './items/tool-calls.ts';
export type { PlanReason } from './chaining/plan-reason.ts';
export type { Mode } from './rollout/mode.ts';
export type { RolloutProblem } from './rollout/resolve.ts';
export type { Rollout, RolloutContext, RolloutFunction } from './rollout/rollout.ts';
export type { RolloutRule } from './rollout/rollout.ts';
export { rolloutFrom } from './rollout/rollout-from.ts';
export { rolloutSwitch, type RolloutSwitch } from './rollout/switch.ts';
export { contentCache, type ContentCache } from './conversation/content-cache.ts';
export type { Finding, FindingKind } from './history/compare-list.ts';
export type { ItemSource } from './history/restore.ts';
export { fromJsonLines, toJsonLines } from './transfer/json-lines.ts';
export { toMarkdown } from './transfer/markdown.ts';
export type { TextSource } from './transfer/json-lines.ts';
export { importItems, type ImportedItems, type ImportItemsOptions } from './transfer/import-items.ts';
export { memoryLedger } from './stores/memory.ts';
export { encryptedLedger, type EncryptedLedgerOptions } from './stores/encrypted/ledger.ts';
export { scopedLedger } from './stores/scoped.ts';
export { ledgerFrom } from './stores/located/ledger-from.ts';
export type { LedgerFromOptions, LocatedLedger } from './stores/located/ledger-from.ts';
export { LEDGER_FORMS } from './stores/located/location.ts';
export type { LedgerPage, LedgerStore, SessionsOptions, SessionSummary } from './ledger/store.ts';
export type { Checkpoint, LedgerRecord } from './ledger/record.ts';
export { HybridSessionError, type HybridSessionErrorCode } from './errors/base.ts';
export { CompactionError, type CompactionErrorReason } from './errors/compaction.ts';
export { ConversationNotFoundError } from './errors/session.ts';
export { ConversationsUnavailableError } from './errors/session.ts';
export { ConversationOwnedError } from './errors/session.ts';
export { HistoryReferenceError } from './errors/session.ts';
export { HealError, type HealErrorReason } from './errors/session.ts';
export { HistoryIncompleteError, type MissingItem } from './errors/session.ts';
export { HistoryTransactionError } from './errors/session.ts';
export { ImportRefusedError } from './errors/session.ts';
export { InvalidItemError } from './errors/session.ts';
export { InvalidOptionsError } from './errors/options.ts';
export { InvalidResponseError } from './errors/session.ts';
export { LedgerConflictError } from './errors/ledger.ts';
export { LedgerUnreadableError, type LedgerUnreadableReason } from './errors/ledger.ts';
export { LedgerUnavailableError, type LedgerUnavailableReason } from './errors/ledger.ts';
export { MirrorIncompleteError } from './errors/session.ts';
