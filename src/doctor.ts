export { recordDiagnosis, type RecordDiagnosisOptions } from './doctor/record-diagnosis.ts';
export { diagnosisPage, type DiagnosisPageOptions } from './doctor/html/diagnosis-page.ts';
export { diagnose, type DiagnoseOptions, type DiagnosisProgress } from './doctor/diagnose.ts';
export type {
  Caveat,
  CaveatKind,
  DiagnosedResponse,
  DiagnosedResponseStatus,
  Diagnosis,
  ContentSource,
  Evidence,
  TimelineItem,
  TimelineItemStatus,
  Verdict,
} from './doctor/diagnosis.ts';
export { inspectLedger } from './inspect/inspect-ledger.ts';
export type {
  DamagedRecord,
  InspectedItem,
  InspectedResponse,
  InspectedTurn,
  LedgerInspection,
} from './inspect/ledger-inspection.ts';
export { HEALS_KEY } from './conversation/metadata.ts';
export { findSession } from './ledger/find-session.ts';
