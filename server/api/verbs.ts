import { getAbout } from "./about/get";
import { getCost } from "./cost/get";
import { exportAudit, listAudit } from "./access/audit";
import { listAccessKeys, makeAccessKey, revokeAccessKey, rotateAccessKey } from "./access/keys";
import { endOwnSession, getMe, listOwnSessions, setOwnPassword } from "./access/me";
import { backChannelLogout, beginOidc, finishOidc } from "./access/oidc";
import { listWaysIn, signIn, signInByLink, signOut } from "./access/sign-in";
import { getSignInSettings } from "./access/sign-in-settings";
import { addUser, deleteUser, listUsers, makeUserLink, updateUser } from "./access/users";
import { acknowledgeAlert, unacknowledgeAlert } from "./alerts/acknowledge";
import { getAlert, listAlerts, summarizeAlerts } from "./alerts/list";
import { explainAlert } from "./alerts/why";
import { discardDeadLetter, restoreDeadLetter } from "./dead-letters/decide";
import { getDeadLetter } from "./dead-letters/get";
import { listDeadLetterGroups } from "./dead-letters/groups";
import { getDeadLetterJob, listDeadLetterJobs, stopDeadLetterJob } from "./dead-letters/jobs";
import { listDeadLetters } from "./dead-letters/list";
import { resendDeadLetter } from "./dead-letters/resend";
import { startDeadLetterJob } from "./dead-letters/start-job";
import { downloadCsv, downloadJson } from "./devices/download";
import { getDevice } from "./devices/get";
import { exportPersonalData } from "./devices/personal-data";
import { deleteDevice } from "./devices/remove";
import { exportTexts } from "./devices/texts";
import { listDevices } from "./devices/list";
import { listMessages } from "./devices/messages";
import { listReadings } from "./devices/readings";
import { listStrips } from "./devices/strips";
import { updateDevice } from "./devices/update";
import { changeDevices } from "./devices/update-many";
import { listEvents, listLag } from "./events/list";
import { addDeployment, addNote, deleteNote, updateNote } from "./events/write";
import { exportExplore } from "./explore/csv";
import { getExplore } from "./explore/get";
import { exportDevices } from "./fleet/csv";
import { getFleetOrder } from "./fleet/order";
import { listSparklines } from "./fleet/sparklines";
import { getFleetSummary } from "./fleet/summary";
import { getHealth } from "./health/get";
import { getLive } from "./health/live";
import { getReady } from "./health/ready";
import { pauseJobVerb, resumeJob, runJob, stopJobRun } from "./jobs/change";
import { listJobRuns, listJobs } from "./jobs/list";
import { getMetricEffects } from "./metrics/effects";
import { getLineage } from "./lineage/get";
import { getLogLevel, setLogLevel } from "./log-level/log-level";
import { exportDictionary, exportDictionaryMarkdown } from "./metrics/dictionary";
import { listMetrics } from "./metrics/list";
import { forgetMetricName, renameMetric } from "./metrics/rename";
import { getMetricStored } from "./metrics/stored";
import { listMetricUse } from "./metrics/use";
import { deleteMetric, mergeMetrics } from "./metrics/remove";
import { listSites } from "./sites/list";
import { getSiteEffects, renameSite } from "./sites/rename";
import { listTypes } from "./types/list";
import { getTypeEffects, updateType } from "./types/update";
import { updateMetric } from "./metrics/update";
import {
  addChannel,
  deleteChannelVerb,
  listChannelsVerb,
  testChannel,
  updateChannelVerb,
} from "./notifications/channels";
import {
  addMaintenance,
  deleteMaintenanceVerb,
  listMaintenance,
  updateMaintenanceVerb,
} from "./notifications/maintenance";
import { listAlertMessages } from "./notifications/messages";
import { addRoute, checkRoute, deleteRouteVerb, listRoutesVerb, updateRouteVerb } from "./notifications/routes";
import {
  addSilence,
  endSilenceVerb,
  extendSilenceVerb,
  listSilencesVerb,
  previewSilenceVerb,
} from "./notifications/silences";
import { getPipeline } from "./pipeline/get";
import { skipBatch } from "./pipeline/skip";
import { getDeviceOddness } from "./odd/device";
import { labelOddness } from "./odd/label";
import { listOddness } from "./odd/list";
import { getQualityContract } from "./quality/contract";
import { getDeviceQuality } from "./quality/device";
import { listQualityLimits, setQualityLimits } from "./quality/limits";
import { listQuality } from "./quality/list";
import { allowErased, listErasuresVerb as listErasures } from "./removals/erasures";
import { erasePerson, previewErasure } from "./removals/person";
import { listRemovals } from "./removals/list";
import { getRetention, removeRetention, setRetention } from "./retention/retention";
import { estimateRetentionRule, removeRetentionRule, setRetentionRule } from "./retention/rules";
import { backtestRule } from "./rules/backtest";
import { getBacktest, startBacktest, stopBacktest } from "./rules/backtest-jobs";
import { addRuleVerb, deleteRule, updateRule } from "./rules/change";
import { importRules } from "./rules/import";
import { countRuleMatches, exportRules, getRule, listRuleEpisodes, listRules, listRuleVersions } from "./rules/list";
import { getReplay } from "./replays/get";
import { getStages } from "./pipeline/stages";
import { listSetup } from "./setup/list";
import { getTestMessage } from "./test-message/get";
import { deliver } from "./sources/deliver";
import { addSource, deleteSourceVerb, updateSourceVerb } from "./sources/change";
import { confirmHandshake } from "./sources/handshakes";
import { listSourceKeysVerb, makeSourceKey } from "./sources/keys";
import { getSource, listSourceMappings, listSourceSamples, listSourcesVerb } from "./sources/list";
import { guessSourceTemplate, listSourceTemplates, previewMapping, saveSourceMapping } from "./sources/mappings";
import { listTestMessages } from "./test-message/list";
import { sendTestMessage } from "./test-message/send";
import { ingestTelemetry } from "./telemetry/ingest";
import { listSavedViews } from "./views/list";
import { addView, deleteView, updateView } from "./views/write";

/** Every verb there is, by the name routes call it. */
export const VERBS = {
  listAlerts,
  summarizeAlerts,
  explainAlert,
  getAlert,
  acknowledgeAlert,
  unacknowledgeAlert,
  listRules,
  getRule,
  addRule: addRuleVerb,
  updateRule,
  deleteRule,
  exportRules,
  listRuleVersions,
  listRuleEpisodes,
  countRuleMatches,
  importRules,
  backtestRule,
  startBacktest,
  getBacktest,
  stopBacktest,
  ingestTelemetry,
  listDevices,
  exportDevices,
  getFleetOrder,
  getFleetSummary,
  listSparklines,
  getExplore,
  exportExplore,
  getDevice,
  updateDevice,
  changeDevices,
  deleteDevice,
  exportPersonalData,
  listReadings,
  listStrips,
  downloadCsv,
  downloadJson,
  exportTexts,
  listMessages,
  getDeviceQuality,
  getQualityContract,
  listQuality,
  listQualityLimits,
  setQualityLimits,
  getDeviceOddness,
  listOddness,
  labelOddness,
  listSites,
  getSiteEffects,
  renameSite,
  listTypes,
  getTypeEffects,
  updateType,
  exportDictionary,
  exportDictionaryMarkdown,
  listMetrics,
  listMetricUse,
  getMetricStored,
  getMetricEffects,
  updateMetric,
  renameMetric,
  forgetMetricName,
  deleteMetric,
  mergeMetrics,
  listRemovals,
  listErasures,
  allowErased,
  previewErasure,
  erasePerson,
  getCost,
  getLineage,
  getRetention,
  setRetention,
  getLogLevel,
  setLogLevel,
  removeRetention,
  setRetentionRule,
  removeRetentionRule,
  estimateRetentionRule,
  listDeadLetters,
  listDeadLetterGroups,
  getDeadLetter,
  resendDeadLetter,
  discardDeadLetter,
  restoreDeadLetter,
  listDeadLetterJobs,
  startDeadLetterJob,
  getDeadLetterJob,
  stopDeadLetterJob,
  listJobs,
  listJobRuns,
  runJob,
  pauseJob: pauseJobVerb,
  resumeJob,
  stopJobRun,
  listEvents,
  listLag,
  addNote,
  updateNote,
  deleteNote,
  addDeployment,
  listSavedViews,
  addView,
  updateView,
  deleteView,
  getPipeline,
  getStages,
  skipBatch,
  getReplay,
  getHealth,
  getLive,
  getReady,
  listSetup,
  getAbout,
  sendTestMessage,
  getTestMessage,
  listTestMessages,
  listWaysIn,
  getSignInSettings,
  beginOidc,
  finishOidc,
  backChannelLogout,
  signInByLink,
  signIn,
  signOut,
  getMe,
  setOwnPassword,
  listOwnSessions,
  endOwnSession,
  listUsers,
  addUser,
  updateUser,
  deleteUser,
  makeUserLink,
  listAccessKeys,
  makeAccessKey,
  rotateAccessKey,
  revokeAccessKey,
  deliver,
  listSources: listSourcesVerb,
  getSource,
  addSource,
  updateSource: updateSourceVerb,
  deleteSource: deleteSourceVerb,
  listSourceMappings,
  saveSourceMapping,
  listSourceSamples,
  previewMapping,
  guessSourceTemplate,
  listSourceTemplates,
  listSourceKeys: listSourceKeysVerb,
  makeSourceKey,
  confirmHandshake,
  listChannels: listChannelsVerb,
  addChannel,
  updateChannel: updateChannelVerb,
  deleteChannel: deleteChannelVerb,
  testChannel,
  listRoutes: listRoutesVerb,
  addRoute,
  updateRoute: updateRouteVerb,
  deleteRoute: deleteRouteVerb,
  checkRoute,
  listSilences: listSilencesVerb,
  addSilence,
  previewSilence: previewSilenceVerb,
  extendSilence: extendSilenceVerb,
  endSilence: endSilenceVerb,
  listMaintenance,
  addMaintenance,
  updateMaintenance: updateMaintenanceVerb,
  deleteMaintenance: deleteMaintenanceVerb,
  listAlertMessages,
  listAudit,
  exportAudit,
} as const;

export type VerbName = keyof typeof VERBS;

/** The dependencies of all verbs together. */
export type ApiDeps = {
  [Name in VerbName]: (deps: Parameters<(typeof VERBS)[Name]["create"]>[0]) => void;
}[VerbName] extends (deps: infer All) => void
  ? All
  : never;
