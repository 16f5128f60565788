export { HybridRunner, type HybridRunnerConfig } from './runner/hybrid-runner.ts';
export { run } from './runner/run.ts';
export { HybridSession } from './session/hybrid-session.ts';
export type { HybridSessionOptions } from './session/hybrid-session-options.ts';
export type {
  EventListener,
  HybridSessionEvent,
  SourceCounts,
  TurnChain,
  TurnEvent,
} from './telemetry/session-event.ts';
export type {
  ObservedOperation,
  OperationFacts,
  OperationName,
  SessionObserver,
} from './telemetry/observer.ts';
export type { LossStats, PlanStats, SessionStats } from './telemetry/session-stats.ts';
export { mergeStats, statsCollector, type StatsCollector } from './telemetry/stats-collector.ts';
export type { Erased } from './session/erase.ts';
export type { Healed, HealOptions, HealPlan, HealProgress, HealStep } from './session/healed.ts';
export type { HistoryReport } from './session/history-report.ts';
export { recordDiagnosis, type RecordDiagnosisOptions } from './doctor/record-diagnosis.ts';
export { diagnosisPage, type DiagnosisPageOptions } from './doctor/page/diagnosis-page.ts';
export { diagnose, type DiagnoseOptions, type DiagnosisProgress } from './doctor/diagnose.ts';
export type {
  DiagnosedResponse,
  Diagnosis,
  ItemPlace,
  ItemStanding,
  Limit,
  LimitKind,
  Proof,
  ResponseStanding,
  TimelineItem,
  Verdict,
} from './doctor/diagnosis.ts';
export { chainedModel } from './model/chained-model.ts';
export { chainedProvider } from './model/chained-provider.ts';
export type { AnchorObstacle, HistoryObserver } from './model/anchor.ts';
export type { PlannedRequest, WouldBe } from './model/chain.ts';
export type { PlanReason } from './model/plan.ts';
export type { Mode } from './rollout/mode.ts';
export type { RolloutProblem } from './rollout/resolve-mode.ts';
export type { Rollout, RolloutContext, RolloutFunction } from './rollout/rollout.ts';
export type { RolloutRule } from './rollout/rollout-rule.ts';
export { rolloutSwitch, type RolloutSwitch } from './rollout/rollout-switch.ts';
export { contentCache, type ContentCache } from './history/content-cache.ts';
export type { Finding, FindingKind } from './history/finding.ts';
export type { ItemSource } from './history/restore.ts';
export { fromJsonLines, toJsonLines } from './transfer/json-lines.ts';
export { toMarkdown } from './transfer/markdown.ts';
export type { TextSource } from './transfer/lines.ts';
export { importItems, type ImportedItems, type ImportItemsOptions } from './transfer/import-items.ts';
export { inspectLedger } from './inspection/inspect-ledger.ts';
export type {
  DamagedRecord,
  InspectedItem,
  InspectedResponse,
  InspectedTurn,
  LedgerInspection,
} from './inspection/ledger-inspection.ts';
export { memoryLedger } from './stores/memory-ledger.ts';
export {
  conversationLedger,
  type ConversationLedgerOptions,
  type MetadataClient,
} from './stores/conversation-ledger.ts';
export { encryptedLedger, type EncryptedLedgerOptions } from './stores/encrypted-ledger.ts';
export type { LedgerPage, LedgerStore } from './ledger/ledger-store.ts';
export { whereItIs } from './ledger/where-it-is.ts';
export type { LedgerHead, LedgerRecord } from './ledger/ledger-record.ts';
export { HybridSessionError, type HybridSessionErrorCode } from './errors/hybrid-session-error.ts';
export { ConversationNotFoundError } from './errors/conversation-not-found-error.ts';
export { HistoryAnchorError } from './errors/history-anchor-error.ts';
export { HealError, type HealErrorReason } from './errors/heal-error.ts';
export { HistoryIncompleteError, type MissingItem } from './errors/history-incomplete-error.ts';
export { HistoryTransactionError } from './errors/history-transaction-error.ts';
export { ImportRefusedError } from './errors/import-refused-error.ts';
export { InvalidItemError } from './errors/invalid-item-error.ts';
export { InvalidLineError } from './errors/invalid-line-error.ts';
export { InvalidOptionsError } from './errors/invalid-options-error.ts';
export { InvalidResponseError } from './errors/invalid-response-error.ts';
export { LedgerConflictError } from './errors/ledger-conflict-error.ts';
export { LedgerDecryptionError, type LedgerDecryptionReason } from './errors/ledger-decryption-error.ts';
export { LedgerRecordError } from './errors/ledger-record-error.ts';
export { LedgerUnavailableError, type LedgerUnavailableReason } from './errors/ledger-unavailable-error.ts';
export { MirrorIncompleteError } from './errors/mirror-incomplete-error.ts';
