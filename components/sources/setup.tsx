"use client";
import { useQuery } from "@tanstack/react-query";
import type { SourceView } from "@/server/contracts/sources";
import { templatesQuery } from "../queries/sources";
import { Copyable } from "../ui/feedback";
import { useIsClient } from "../ui/use-is-client";
import { setupLines } from "./setup-lines";
import classes from "./sources.module.css";
import { DOORS } from "./words";

/** What stands where a key belongs that is not known any more. */
const A_KEY = "KEY";

interface SetupProps {
  source: Pick<SourceView, "name" | "kind" | "door">;
  /** The key, where it is shown; null: it isn't known any more. */
  secret: string | null;
}

/** What to set where in a sender, with address and key filled in, each to be copied. */
export function Setup({ source: { name, kind, door }, secret }: SetupProps) {
  const { data } = useQuery(templatesQuery());
  const isClient = useIsClient();
  if (!isClient || !data) return null;
  const lines = setupLines({
    ...{ kind, name, door: door.type, secret: secret ?? A_KEY, origin: window.location.origin },
    mqtt: { host: window.location.hostname, ...data.mqtt },
    sample: data.items.find((template) => template.kind === kind)?.sample ?? null,
  });
  if (lines.length === 0) return <p className={classes.about}>{DOORS[door.type].about}</p>;
  return (
    <div className={classes.setup}>
      {secret === null ? (
        <p className={classes.about}>
          Put one of its keys where {A_KEY} stands. A lost key can’t be seen again: make a new one.
        </p>
      ) : null}
      {lines.map(({ label, text }) => (
        <div key={label} className={classes.once}>
          <p>{label}</p>
          <Copyable text={text} label={`Copy: ${label}`} />
        </div>
      ))}
    </div>
  );
}
