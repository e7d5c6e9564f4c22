import type { HealthAnswer, ProbeResult } from "@/server/contracts/health";
import { Age } from "../ui/age";
import { Section } from "../ui/section";
import { ProbeMark } from "../ui/state-mark";
import { Said } from "../ui/said";
import classes from "./engines.module.css";

/** Shows which engine carries what: Fieldwatch's own or one of yours, what it says of itself, and since when it is as it is. */
export function Engines({ health }: { health: HealthAnswer }) {
  const { eventLog, documents, database } = health.engines;
  const roles = [
    ["Event log", eventLog],
    ["Messages, twins, dead letters", documents],
    ["Readings, rollups, catalog", database],
  ] as const;
  return (
    <Section
      title="Engines"
      aside={health.version ? <span className={classes.version}>Fieldwatch {health.version}</span> : null}
    >
      <div className={classes.scroll}>
        <table className={classes.engines}>
          <thead>
            <tr>
              <th scope="col">Carries</th>
              <th scope="col">Engine</th>
              <th scope="col">Run by</th>
              <th scope="col">State</th>
              <th scope="col">It says</th>
              <th scope="col">Since</th>
            </tr>
          </thead>
          <tbody>
            {roles.map(([role, engine]) => (
              <Engine key={role} role={role} engine={engine} probe={answerOf(engine, health.probes)} />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function Engine({ role, engine, probe }: { role: string; engine: string; probe: ProbeResult | undefined }) {
  const isEmbedded = engine.endsWith(EMBEDDED);
  return (
    <tr>
      <th scope="row">{role}</th>
      <td>{isEmbedded ? engine.slice(0, -EMBEDDED.length) : engine}</td>
      <td>{isEmbedded ? "Fieldwatch (embedded)" : "you"}</td>
      <td>
        <ProbeMark status={probe?.status ?? "unknown"} />
      </td>
      <td className={classes.says}>
        <Said text={probe?.summary ?? "Not asked yet."} />
      </td>
      <td className={classes.since}>{probe ? <Age time={probe.since} /> : null}</td>
    </tr>
  );
}

const EMBEDDED = " (embedded)";

/** The probe that asks an engine whether it answers. */
function answerOf(engine: string, probes: readonly ProbeResult[]): ProbeResult | undefined {
  return probes.find(({ group, name }) => group === engine && name.endsWith(".reachable"));
}
