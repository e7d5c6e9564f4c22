import { expect, test } from "vitest";
import { type HealthAnswer, healthAnswer } from "@/server/contracts/health";
import { type Caller, type Grant, ROLES } from "@/server/domain/access";
import { createApiRig, PRIVATE_NAMES, read } from "@/server/testing/api-rig";

const rig = createApiRig();
const person = (...grants: Grant[]): Caller => ({
  ...{ kind: "user", accountId: 1, name: "Ada", sessionId: "00000000-0000-4000-8000-000000000000", provenAt: 0 },
  grants,
});

const since = new Date(0).toISOString();
const SECRETS = ["db.plant.example", "15.18", "/var/lib/plant", "DATABASE_URL", ...PRIVATE_NAMES];
const trouble = {
  cause: "db.plant.example:5432 refuses the sign-in of secretive.",
  fix: "Set DATABASE_URL=postgres://secretive@db.plant.example, look into /var/lib/plant, then: npm run migrate",
  commands: ["DATABASE_URL=postgres://secretive@db.plant.example", "npm run migrate"],
};
const health: Partial<HealthAnswer> = {
  version: "15.18.0",
  verdict: "PostgreSQL 15.18 at db.plant.example is down: readings can't be taken.",
  parts: { what: "PostgreSQL 15.18 at db.plant.example is down", since, means: "readings can't be taken" },
  probes: [
    {
      ...{
        name: "postgres.signed-in",
        title: "Signed in",
        group: "PostgreSQL",
        status: "fail",
        since,
        checkedAt: since,
      },
      ...{
        latencyMs: 1,
        summary: "PostgreSQL 15.18 at db.plant.example doesn't let Signed in as secretive in.",
        ...trouble,
      },
    },
  ],
  jobs: [{ ...{ name: "x", title: "X", state: "failed", lastRun: null, nextRun: null }, ...trouble }],
};

test("the states, causes and fixes of health are for all who see it, its details for administrators of all sites", async () => {
  const asked = (caller: Caller) =>
    read(healthAnswer, rig.compose({ caller, health }).handle("getHealth", new Request("http://here/api"), {}));
  for (const role of ROLES) {
    const answer = await asked(person({ role, siteId: null }));
    const text = JSON.stringify(answer);
    const told = SECRETS.filter((secret) => text.includes(secret));
    if (role === "admin") {
      expect([role, told, answer.leftOut]).toEqual([role, SECRETS, null]);
      continue;
    }
    expect([role, told]).toEqual([role, []]);
    expect(answer).toMatchObject({
      ...{ version: null, verdict: "PostgreSQL … at … is down: readings can't be taken." },
      leftOut: { what: ["hosts", "versions", "files", "settings"], permission: "administer" },
      probes: [
        {
          ...{ name: "postgres.signed-in", status: "fail", since },
          cause: "… refuses the sign-in of ….",
          fix: "Set …, look into …, then: npm run migrate",
          commands: ["npm run migrate"],
        },
      ],
      jobs: [{ state: "failed", cause: "… refuses the sign-in of …." }],
    });
  }
  // Administering one site is not enough to be told of what is of all.
  const some = await asked(person({ role: "viewer", siteId: null }, { role: "admin", siteId: 1 }));
  expect(some.leftOut?.permission).toBe("administer");
});
