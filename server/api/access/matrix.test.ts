import { expect, test } from "vitest";
import { listDeeds } from "@/server/access/audit/deeds";
import { type Caller, KEY_KINDS, NOBODY, type Permission, PERMISSIONS, ROLES, sitesOf } from "@/server/domain/access";
import { createApiRig, JSON_TYPE, refused } from "@/server/testing/api-rig";
import { NO_PARAMETERS, type Operation, verb } from "../verb";
import { type VerbName, VERBS } from "../verbs";

/** Every verb by what it takes. Whoever adds one writes it down here, too. */
const BY_ACCESS: Readonly<Record<Operation["access"], readonly VerbName[]>> = {
  public: [
    ...(["getLive", "getReady", "signInByLink", "signIn", "listWaysIn"] as const),
    ...(["beginOidc", "finishOidc", "backChannelLogout"] as const),
  ],
  "signed-in": ["signOut", "getMe", "setOwnPassword", "listOwnSessions", "endOwnSession"],
  view: [
    ...(["listDevices", "getFleetOrder", "getFleetSummary", "listSparklines", "getDevice", "listReadings"] as const),
    ...(["listDeadLetterGroups", "listDeadLetterJobs", "getDeadLetterJob", "listJobs", "listJobRuns"] as const),
    ...(["getPipeline", "getStages", "getHealth", "getTestMessage", "listTestMessages"] as const),
    ...(["listMetricUse", "listTypes", "listSites", "getRetention", "getCost", "getLineage"] as const),
    ...(["exportDictionary", "exportDictionaryMarkdown"] as const),
    ...(["listAlerts", "getAlert", "explainAlert", "listRules", "getRule", "exportRules"] as const),
    ...(["listRuleVersions", "countRuleMatches", "listRuleEpisodes", "summarizeAlerts"] as const),
    ...(["backtestRule", "getBacktest"] as const),
    ...(["listQuality", "getDeviceQuality", "listQualityLimits", "getQualityContract"] as const),
    ...(["listOddness", "getDeviceOddness", "listStrips", "getExplore"] as const),
    ...(["listEvents", "listLag"] as const),
    ...(["listSavedViews", "addView", "updateView", "deleteView"] as const),
    ...(["listSources", "getSource", "listSourceMappings", "listSourceTemplates"] as const),
    ...(["listChannels", "listRoutes", "checkRoute", "listSilences", "listMaintenance", "listAlertMessages"] as const),
  ],
  "view-messages": [
    ...(["exportDevices", "downloadCsv", "downloadJson", "listMessages", "listDeadLetters", "getDeadLetter"] as const),
    "exportTexts",
    ...(["listSourceSamples", "exportExplore"] as const),
  ],
  operate: [
    ...(["resendDeadLetter", "discardDeadLetter", "restoreDeadLetter", "startDeadLetterJob"] as const),
    ...(["stopDeadLetterJob", "runJob", "pauseJob", "resumeJob", "stopJobRun", "skipBatch"] as const),
    ...(["sendTestMessage", "addSilence", "previewSilence", "extendSilence", "endSilence"] as const),
    ...(["acknowledgeAlert", "unacknowledgeAlert", "labelOddness"] as const),
    ...(["addNote", "updateNote", "deleteNote", "addDeployment"] as const),
  ],
  send: ["ingestTelemetry", "getReplay"],
  deliver: ["deliver"],
  catalog: ["listMetrics"],
  declare: ["updateMetric", "getMetricEffects"],
  edit: [
    ...(["updateDevice", "changeDevices", "addSource", "updateSource", "deleteSource", "saveSourceMapping"] as const),
    ...(["previewMapping", "guessSourceTemplate", "confirmHandshake"] as const),
    ...(["addChannel", "updateChannel", "deleteChannel", "testChannel", "addRoute", "updateRoute"] as const),
    ...(["deleteRoute", "addMaintenance", "updateMaintenance", "deleteMaintenance"] as const),
    ...(["addRule", "updateRule", "deleteRule", "importRules", "setQualityLimits", "updateType"] as const),
    ...(["getTypeEffects", "getSiteEffects", "renameSite"] as const),
    ...(["startBacktest", "stopBacktest"] as const),
  ],
  "make-keys": [
    "listSourceKeys",
    "makeSourceKey",
    "listAccessKeys",
    "makeAccessKey",
    "rotateAccessKey",
    "revokeAccessKey",
  ],
  administer: [
    ...(["listSetup", "getAbout", "listUsers", "addUser", "updateUser", "deleteUser", "makeUserLink"] as const),
    ...(["listAudit", "exportAudit", "getSignInSettings"] as const),
    ...(["deleteDevice", "deleteMetric", "mergeMetrics", "getMetricStored", "listRemovals"] as const),
    ...(["listErasures", "allowErased", "previewErasure", "erasePerson", "exportPersonalData"] as const),
    ...(["renameMetric", "forgetMetricName"] as const),
    ...(["setRetention", "removeRetention", "getLogLevel", "setLogLevel"] as const),
    ...(["setRetentionRule", "removeRetentionRule", "estimateRetentionRule"] as const),
  ],
};

const HOLDERS: Readonly<Record<Permission, readonly string[]>> = {
  view: ["viewer", "operator", "editor", "admin"],
  "view-messages": ["operator", "editor", "admin"],
  operate: ["operator", "editor", "admin"],
  send: ["operator", "editor", "admin", "site key", "device key"],
  deliver: ["operator", "editor", "admin", "source key"],
  catalog: ["viewer", "operator", "editor", "admin", "site key"],
  declare: ["editor", "admin", "site key"],
  edit: ["editor", "admin"],
  "make-keys": ["editor", "admin"],
  administer: ["admin"],
};

const person = (role: (typeof ROLES)[number], siteId: number | null = null): Caller => ({
  ...{
    kind: "user",
    accountId: 1,
    name: role,
    sessionId: "00000000-0000-4000-8000-000000000000",
    provenAt: Date.now(),
  },
  grants: [{ role, siteId }],
});
const CALLERS: ReadonlyMap<string, Caller> = new Map([
  ["nobody", NOBODY],
  ...ROLES.map((role) => [role, person(role)] as const),
  ...KEY_KINDS.map(
    (of) =>
      [
        `${of} key`,
        {
          kind: "key",
          keyId: of,
          name: `${of} key`,
          of,
          siteId: null,
          device: of === "device" ? "press-1" : null,
          grants: [],
        },
      ] as const,
  ),
  ["nobody any more", { kind: "nobody", why: "The session has ended." }],
  ["without a role", { ...person("viewer"), grants: [] } as Caller],
  ["of one site", person("admin", 1)],
]);

/** Who holds everything at one site alone is answered by the verbs that go by sites. */
function isItsSites(who: string, name: VerbName): boolean {
  return who === "of one site" && VERBS[name].operation.bySite === true;
}

const rig = createApiRig();

test("every verb is in the table", () => {
  const found = Object.fromEntries(
    ["public", "signed-in", ...PERMISSIONS].map((access) => [
      access,
      Object.entries(VERBS)
        .filter(([, { operation }]) => operation.access === access)
        .map(([name]) => name)
        .sort(),
    ]),
  );
  expect(found).toEqual(
    Object.fromEntries(Object.entries(BY_ACCESS).map(([name, verbs]) => [name, [...verbs].sort()])),
  );
});

test("a verb that doesn't say whom it answers doesn't compile", () => {
  const rest = { method: "GET", path: "/api/v1/x", summary: "", params: NO_PARAMETERS, query: NO_PARAMETERS } as const;
  // @ts-expect-error: access is missing.
  verb({ ...rest, answer: NO_PARAMETERS, status: 200, problems: [] }, () => async () => ({}));
  // @ts-expect-error: there is no such permission.
  verb({ ...rest, answer: NO_PARAMETERS, status: 200, problems: [], access: "look" }, () => async () => ({}));
});

const DENIED = {
  ...{ actor: null, verb: null, target: null, outcome: "denied", from: null, to: null, before: null, limit: 1e6 },
};

test.each([...CALLERS])("%s", async (who, caller) => {
  const api = rig.compose({ caller });
  const denied = async () =>
    (await listDeeds(rig.engines.pool, DENIED))
      .filter(({ actorKind }) => actorKind !== "nobody")
      .map(({ verb, actor, target }) => ({ verb, actor, target }))
      .reverse();
  const before = (await denied()).length;
  const refusals: object[] = [];
  for (const [access, verbs] of Object.entries(BY_ACCESS) as [Operation["access"], VerbName[]][]) {
    for (const name of verbs) {
      const { method } = VERBS[name].operation;
      const post = method === "GET" ? {} : { method, headers: JSON_TYPE, body: '{"x":' };
      // Not valid to any verb: who may call it is told so, and nothing is done.
      const answer = api.handle(name, new Request("http://here/api?no-parameter=1", post), { id: "\0../<x>" });
      const isIn =
        access === "public" ||
        (caller.kind !== "nobody" &&
          (access === "signed-in" || HOLDERS[access].includes(who) || isItsSites(who, name)));
      if (isIn) {
        expect([name, (await refused(answer)).kind]).toEqual([name, "invalid-parameters"]);
      } else if (caller.kind === "nobody") {
        const { status, headers, detail } = await refused(answer);
        expect([name, status, headers.get("www-authenticate")]).toEqual([name, 401, "Bearer"]);
        expect(detail).toContain(caller.why ?? "Sign in at /sign-in");
      } else {
        const { status, detail } = await refused(answer);
        expect([name, status]).toEqual([name, 403]);
        expect(detail).toContain(`"${access}"`);
        refusals.push({
          verb: name,
          actor: who === "without a role" ? "viewer" : who === "of one site" ? "admin" : who,
          target: "\uFFFD../<x>",
        });
      }
    }
  }
  expect((await denied()).slice(before)).toEqual(refusals);
});

test("the table of holders is the one decisions are made by", () => {
  for (const permission of PERMISSIONS)
    expect([...CALLERS].filter(([, caller]) => sitesOf(caller, permission) === "all").map(([who]) => who)).toEqual(
      HOLDERS[permission],
    );
});
