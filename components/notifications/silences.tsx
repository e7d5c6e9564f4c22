"use client";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { MaintenanceView, SilenceView } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { useMay, useMayEverywhere, useSeesAll } from "../queries/access";
import { maintenanceQuery, silencesQuery } from "../queries/notifications";
import { AlertPages } from "../shell/alert-pages";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { useNow } from "../ui/clock";
import { StaleNotice } from "../ui/feedback";
import { StateMark } from "../ui/state-mark";
import { useAddress } from "../ui/url";
import { Calendar } from "./calendar";
import { MaintenanceTable } from "./maintenance-table";
import { matchersInAddress, NO_MATCHERS } from "./matchers-in-address";
import classes from "./notifications.module.css";
import { EndSilence, RemoveMaintenance } from "./remove";
import { SilenceTable } from "./silence-table";

const SilenceDialog = dynamic(() => import("./silence-dialog").then((dialogs) => dialogs.SilenceDialog), {
  ssr: false,
});
const ExtendSilence = dynamic(() => import("./silence-dialog").then((dialogs) => dialogs.ExtendSilence), {
  ssr: false,
});
const MaintenanceDialog = dynamic(() => import("./maintenance-dialog").then((dialog) => dialog.MaintenanceDialog), {
  ssr: false,
});

/** What keeps alerts from being told: silences, and maintenance that comes again. */
export function Silences() {
  return (
    <Page title="Silences and maintenance">
      <AlertPages />
      <Whole />
    </Page>
  );
}

function Whole() {
  // Maintenance is of all sites together; who sees some alone has silences of these.
  const seesAll = useSeesAll() === true;
  const silences = useQuery(silencesQuery());
  const maintenance = useQuery({ ...maintenanceQuery(), enabled: seesAll });
  const error = silences.error ?? maintenance.error;
  const retry = () => {
    void silences.refetch();
    if (seesAll) void maintenance.refetch();
  };
  if (!silences.data || (seesAll && !maintenance.data))
    return (
      <NotYet
        what="silences"
        error={error}
        onRetry={retry}
        isRetrying={silences.isFetching || maintenance.isFetching}
        rows={6}
        height={36}
      />
    );
  return (
    <>
      {error ? <StaleNotice onRetry={retry}>This may be out of date: {error.message}</StaleNotice> : null}
      <Loaded silences={silences.data} maintenance={seesAll ? (maintenance.data ?? []) : null} />
    </>
  );
}

type Opened =
  | { readonly what: "extend" | "end"; readonly silence: SilenceView }
  | { readonly what: "maintain"; readonly item: MaintenanceView | null }
  | { readonly what: "remove"; readonly item: MaintenanceView };

interface LoadedProps {
  silences: readonly SilenceView[];
  /** Null for who doesn't see it. */
  maintenance: readonly MaintenanceView[] | null;
}

function Loaded({ silences, maintenance }: LoadedProps) {
  const maySilence = useMay("operate");
  const mayMaintain = useMayEverywhere("edit");
  const [address, change] = useAddress();
  const [opened, setOpened] = useState<Opened | null>(null);
  const now = useNow(60_000);
  const close = () => setOpened(null);
  const isMaking = maySilence && address.get("new") !== null;
  return (
    <>
      {silences.length + (maintenance?.length ?? 0) > 0 ? (
        <Verdict silences={silences} maintenance={maintenance ?? []} />
      ) : null}
      <Calendar silences={silences} maintenance={maintenance ?? []} now={now} />
      <SilenceTable
        silences={silences}
        maySilence={maySilence}
        onMake={() => change({ new: "1" }, "push")}
        onExtend={(silence) => setOpened({ what: "extend", silence })}
        onEnd={(silence) => setOpened({ what: "end", silence })}
      />
      {maintenance ? (
        <MaintenanceTable
          items={maintenance}
          mayEdit={mayMaintain}
          onMake={() => setOpened({ what: "maintain", item: null })}
          onChange={(item) => setOpened({ what: "maintain", item })}
          onRemove={(item) => setOpened({ what: "remove", item })}
        />
      ) : null}
      {isMaking ? (
        <SilenceDialog first={matchersInAddress(address)} onClose={() => change({ new: null, ...NO_MATCHERS })} />
      ) : null}
      {opened?.what === "extend" ? <ExtendSilence silence={opened.silence} onClose={close} /> : null}
      {opened?.what === "end" ? <EndSilence silence={opened.silence} onClose={close} /> : null}
      {opened?.what === "maintain" ? <MaintenanceDialog item={opened.item} onClose={close} /> : null}
      {opened?.what === "remove" ? <RemoveMaintenance item={opened.item} onClose={close} /> : null}
    </>
  );
}

/** What is held back now, in a sentence. */
function Verdict({
  silences,
  maintenance,
}: {
  silences: readonly SilenceView[];
  maintenance: readonly MaintenanceView[];
}) {
  const active = silences.filter(({ state }) => state === "active");
  const open = maintenance.filter(({ now }) => now !== null);
  const hidden = active.filter(({ hides }) => hides > 0).length;
  const parts = [
    ...(active.length > 0 ? [counted(active.length, "silence")] : []),
    ...(open.length > 0 ? [counted(open.length, "maintenance window")] : []),
  ];
  const holds = active.length + open.length === 1 ? "holds" : "hold";
  return (
    <p className={classes.verdict} role="status">
      {parts.length === 0 ? (
        <StateMark mark="ok" word="Nothing is held back now." />
      ) : (
        <>
          <StateMark mark="stale" word="" />
          <span>
            {parts.join(" and ")} {holds} messages back now
            {active.length > 0 && open.length === 0 && hidden === 0 ? ", though nothing that is open" : ""}; alerts are
            still decided and shown.
          </span>
        </>
      )}
    </p>
  );
}
