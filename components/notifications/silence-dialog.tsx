"use client";
import { Checkbox, Select, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { SilenceView } from "@/server/contracts/notifications";
import { counted } from "@/server/domain/counted";
import { formatDuration } from "@/server/domain/duration";
import type { Matcher } from "@/server/domain/notifications/matcher";
import { extendSilence, makeSilence, NOTIFICATIONS, silencePreviewQuery } from "../queries/notifications";
import { saidOf } from "../queries/request";
import { FormDialog } from "../shell/form-dialog";
import { formatMoment, momentOf, wallClock, zoneName } from "../ui/format";
import { serverNow } from "../ui/server-time";
import { useZone } from "../ui/zone";
import { areWhole, Matchers } from "./matchers";
import classes from "./notifications.module.css";
import { weekWords } from "./silence-table";

const HOUR = 3_600_000;
const LENGTHS = [HOUR / 2, HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR, 3 * 24 * HOUR, 7 * 24 * HOUR];
const TYPING_MS = 250;

interface LengthProps {
  label: string;
  /** From when the lengths count. */
  from: number;
  length: string;
  onLength: (length: string) => void;
  at: string;
  onAt: (at: string) => void;
}

/** Chooses an end: after one of the usual lengths, or at a moment. */
function Length({ label, from, length, onLength, at, onAt }: LengthProps) {
  const { zone } = useZone();
  return (
    <div className={classes.pair}>
      <Select
        label={label}
        data={[
          ...LENGTHS.map((one) => ({ value: String(one), label: formatDuration(one) })),
          { value: "at", label: "Until a time…" },
        ]}
        allowDeselect={false}
        value={length}
        onChange={(value) => {
          onLength(value!);
          if (value === "at" && at === "") onAt(wallClock(from + 24 * HOUR, zone).slice(0, 16));
        }}
      />
      {length === "at" ? (
        <TextInput
          label={`Until, ${zoneName(zone)}`}
          type="datetime-local"
          value={at}
          onChange={(event) => onAt(event.currentTarget.value)}
        />
      ) : null}
    </div>
  );
}

/** Silences alerts; says before it is saved what that hides. @param first what it begins with. */
export function SilenceDialog({ first, onClose }: { first: readonly Matcher[]; onClose: () => void }) {
  const queries = useQueryClient();
  const { zone } = useZone();
  const [matchers, setMatchers] = useState<Matcher[]>(
    first.length > 0 ? [...first] : [{ field: "device", is: "is", values: [] }],
  );
  const [opened] = useState(() => serverNow());
  const [length, setLength] = useState(String(4 * HOUR));
  const [at, setAt] = useState("");
  const [startsLater, setStartsLater] = useState(false);
  const [start, setStart] = useState(() => wallClock(opened + HOUR, zone).slice(0, 16));
  const [reason, setReason] = useState("");
  const [untilResolved, setUntilResolved] = useState(false);
  const isWhole = matchers.length > 0 && areWhole(matchers);
  const [asked] = useDebouncedValue(matchers, TYPING_MS);
  const preview = useQuery(silencePreviewQuery(isWhole && areWhole(asked) ? asked : null));
  const isAsked = asked === matchers && isWhole;
  const startsAt = startsLater ? momentOf(start, zone) : null;
  const endsAt = length === "at" ? momentOf(at, zone) : (startsAt ?? opened) + Number(length);
  const save = useMutation({
    mutationFn: () => {
      const end = length === "at" ? endsAt : (startsAt ?? serverNow()) + Number(length);
      return makeSilence({
        ...{ matchers, reason: reason.trim(), untilResolved, endsAt: new Date(end).toISOString() },
        ...(startsAt !== null && { startsAt: new Date(startsAt).toISOString() }),
      });
    },
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
  });
  return (
    <FormDialog
      title="Silence alerts"
      act={length === "at" ? "Silence them" : `Silence for ${formatDuration(Number(length))}`}
      failed="Nothing was silenced"
      isReady={
        isWhole && reason.trim() !== "" && endsAt > (startsAt ?? opened) && preview.data !== undefined && isAsked
      }
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <Matchers
        label="Alerts"
        none="A silence says what it is of."
        isFirst={first.length === 0}
        matchers={matchers}
        onChange={(next) => setMatchers(next)}
      />
      <Length label="For" from={startsAt ?? opened} length={length} onLength={setLength} at={at} onAt={setAt} />
      <Checkbox
        label="Starts later"
        checked={startsLater}
        onChange={(event) => setStartsLater(event.currentTarget.checked)}
      />
      {startsLater ? (
        <TextInput
          label={`From, ${zoneName(zone)}`}
          type="datetime-local"
          value={start}
          onChange={(event) => setStart(event.currentTarget.value)}
        />
      ) : null}
      <Checkbox
        label="End earlier, once nothing that it covers is open"
        checked={untilResolved}
        onChange={(event) => setUntilResolved(event.currentTarget.checked)}
      />
      <TextInput
        label="Why"
        placeholder="Bearing is changed, ticket 4711"
        data-autofocus={first.length > 0 || undefined}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={500}
        autoComplete="off"
      />
      <div role="status" className={classes.preview}>
        {!isWhole ? (
          "Say which alerts, to see what that hides."
        ) : preview.error ? (
          saidOf(preview.error)
        ) : preview.data === undefined || !isAsked ? (
          "Looking what it hides…"
        ) : (
          <>
            <p>
              Hides <b>{counted(preview.data.now, "open alert")}</b> now. Last week it would have hidden{" "}
              <b>{weekWords(preview.data.week)}</b>.
            </p>
            {preview.data.alerts.length === 0 ? null : (
              <ul>
                {preview.data.alerts.slice(0, MOST_SHOWN).map(({ id, words }) => (
                  <li key={id}>{words}</li>
                ))}
                {preview.data.now > MOST_SHOWN ? <li>and {preview.data.now - MOST_SHOWN} more</li> : null}
              </ul>
            )}
          </>
        )}
      </div>
    </FormDialog>
  );
}

/** Open alerts that a preview names. */
const MOST_SHOWN = 4;

/** Has a silence end later, or earlier. */
export function ExtendSilence({
  silence: { id, startsAt, endsAt },
  onClose,
}: {
  silence: SilenceView;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const { zone } = useZone();
  const [length, setLength] = useState(String(4 * HOUR));
  const [at, setAt] = useState(() => wallClock(Date.parse(endsAt), zone).slice(0, 16));
  const end = length === "at" ? momentOf(at, zone) : Date.parse(endsAt) + Number(length);
  const save = useMutation({
    mutationFn: () => extendSilence(id, new Date(end).toISOString()),
    onSuccess: onClose,
    onSettled: () => queries.invalidateQueries({ queryKey: [NOTIFICATIONS] }),
  });
  const latest = Date.parse(startsAt) + 30 * 24 * HOUR;
  return (
    <FormDialog
      title="Extend this silence"
      act={length === "at" ? "Set its end" : `Extend by ${formatDuration(Number(length))}`}
      failed="Its end is as it was"
      isReady={!Number.isNaN(end) && end <= latest}
      isSending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      <Length label="By" from={Date.parse(endsAt)} length={length} onLength={setLength} at={at} onAt={setAt} />
      <p role="status">
        {Number.isNaN(end)
          ? "Say when it ends."
          : end > latest
            ? `It can last until ${formatMoment(latest, zone)}, 30 days after it began: what is silenced longer is forgotten.`
            : `It ends ${formatMoment(end, zone)} instead of ${formatMoment(Date.parse(endsAt), zone)}, ${zoneName(zone)}.`}
      </p>
    </FormDialog>
  );
}
