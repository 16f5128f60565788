export { recordDiagnosis, type RecordDiagnosisOptions } from './doctor/record-diagnosis.ts';
export { diagnosesPage, type DiagnosedRow } from './doctor/html/diagnoses-page.ts';
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
export { diagnoseAll, type DiagnoseAllOptions, type DiagnosedSession } from './many/diagnose-all.ts';
export { healAll, type HealAllOptions, type HealedSession, type HealOutcome } from './many/heal-all.ts';
export { verifyAll, type VerifiedSession } from './many/verify-all.ts';
export type { ManyOptions, SessionResult } from './many/each-session.ts';
