"use client";
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { SourceDetail, SourceMappingView, SourcePayload, SourceSample } from "@/server/contracts/sources";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import { RequestError } from "../queries/request";
import { mappingPreviewQuery } from "../queries/sources";
import { Failure, Loading } from "../ui/feedback";
import { formatInstant } from "../ui/format";
import { Section } from "../ui/section";
import { useAddress } from "../ui/url";
import { useLeaveGuard } from "../ui/use-leave-guard";
import { useZone } from "../ui/zone";
import { Becomes } from "./becomes";
import { hasPayload } from "./kind-list";
import classes from "./mapping.module.css";
import { faultsOf, mappingText, readMapping } from "./mapping-text";
import { NO_PAYLOAD, PayloadFields } from "./payload-fields";
import { PayloadView } from "./payload-view";
import { outcomeOf } from "./samples";

const EffectView = dynamic(() => import("./effect-view").then((view) => view.EffectView), { ssr: false });
const Versions = dynamic(() => import("./versions").then((versions) => versions.Versions), { ssr: false });
const MappingForm = dynamic(() => import("./mapping-form").then((form) => form.MappingForm), { ssr: false });

/** The pause in typing after which a mapping is tried, in milliseconds. */
const PAUSE_MS = 400;
const PASTED = "paste";

interface MappingEditorProps {
  detail: SourceDetail;
  samples: readonly SourceSample[];
  versions: readonly SourceMappingView[];
  mayEdit: boolean;
}

/** Left a payload with what becomes of each value, right its readings, below the mapping and what a change of it does. */
export function MappingEditor({ detail, samples, versions, mayEdit }: MappingEditorProps) {
  const { source, mapping: current } = detail;
  // The version that is changed here: another one that comes meanwhile takes nothing away.
  const [base, setBase] = useState(current);
  const [text, setText] = useState(() => mappingText(current.mapping));
  const [address, change] = useAddress();
  const [pasted, setPasted] = useState(NO_PAYLOAD);
  const [pointed, setPointed] = useState<string | null>(null);

  const saved = mappingText(base.mapping);
  const isChanged = text !== saved;
  const reading = readMapping(text);
  useLeaveGuard(isChanged && mayEdit, "The mapping is not saved. Leave, and lose what was changed?");
  const [tried] = useDebouncedValue(text, PAUSE_MS);
  const triedReading = readMapping(tried);
  const wanted = triedReading.ok ? triedReading.mapping : null;

  const choice = address.get("sample");
  const sample = chosenSample(samples, choice);
  const isPasting = choice === PASTED || sample === undefined;
  const [payload] = useDebouncedValue(isPasting ? pasted : sample.payload, isPasting ? PAUSE_MS : 0);
  const shownPayload: SourcePayload = isPasting ? payload : sample.payload;

  const ofSamples = useQuery(
    mappingPreviewQuery(wanted && samples.length > 0 ? { mapping: wanted, source: source.name } : null),
  );
  const ofPasted = useQuery(
    mappingPreviewQuery(wanted && isPasting && hasPayload(payload) ? { mapping: wanted, payloads: [payload] } : null),
  );
  const preview = isPasting ? ofPasted : ofSamples;
  const explained = (isPasting ? ofPasted.data?.[0] : ofSamples.data?.find((item) => item.sample === sample.id))?.after;
  const error = preview.error;
  const problem = error instanceof RequestError && error.status === 400 ? error.problem : null;
  const faults = problem ? faultsOf(problem, tried) : [];

  const edit = (mapping: MappingInput) => setText(mappingText(mapping));
  return (
    <>
      <div className={classes.sides}>
        <Section
          title="Payload"
          aside={
            <PayloadChoice
              samples={samples}
              chosen={isPasting ? PASTED : String(sample.id)}
              onChoose={(id) => change({ sample: id })}
            />
          }
        >
          {isPasting && (mayEdit || samples.length === 0) ? (
            <PayloadFields payload={pasted} onChange={setPasted} minRows={3} />
          ) : null}
          {!isPasting || hasPayload(payload) ? (
            <PayloadView
              payload={shownPayload}
              explained={explained}
              mapping={mayEdit && reading.ok ? reading.mapping : null}
              onChange={edit}
              pointed={pointed}
              onPoint={setPointed}
            />
          ) : null}
        </Section>
        <Section title="Becomes">
          {explained ? <Becomes explained={explained} pointed={pointed} onPoint={setPointed} /> : null}
          {!explained && error && faults.length === 0 ? (
            <Failure
              what="What becomes of it could not be found out"
              why={error.message}
              advice="Nothing was changed. What you wrote is kept here."
              onRetry={() => void preview.refetch()}
              retrying={preview.isFetching}
            />
          ) : null}
          {!explained && faults.length > 0 ? (
            <p className={classes.hint}>The mapping below can’t be used as it is.</p>
          ) : null}
          {!explained && !error && preview.isFetching ? <Loading rows={6} label="Trying the mapping" /> : null}
          {!explained && !error && !preview.isFetching ? (
            <p className={classes.hint}>Paste what the sender sends to see what it becomes.</p>
          ) : null}
        </Section>
      </div>
      <MappingForm
        {...{ detail, base, text, reading, faults, isChanged, mayEdit }}
        isTried={tried === text && wanted !== null && !ofSamples.error && !ofPasted.error}
        onText={setText}
        onSaved={(version) => {
          setBase(version);
          setText(mappingText(version.mapping));
        }}
        onTakeCurrent={() => {
          setBase(current);
          setText(mappingText(current.mapping));
        }}
        effect={isChanged && ofSamples.data && !ofSamples.error ? <EffectView items={ofSamples.data} /> : null}
      />
      <Versions
        versions={versions}
        shown={text}
        onTake={mayEdit ? (version) => setText(mappingText(version.mapping)) : null}
      />
    </>
  );
}

function chosenSample(samples: readonly SourceSample[], choice: string | null): SourceSample | undefined {
  if (choice === PASTED) return undefined;
  return samples.find(({ id }) => String(id) === choice) ?? samples[0];
}

interface PayloadChoiceProps {
  samples: readonly SourceSample[];
  chosen: string;
  onChoose: (id: string) => void;
}

function PayloadChoice({ samples, chosen, onChoose }: PayloadChoiceProps) {
  const { zone } = useZone();
  return (
    <Select
      aria-label="Payload to look at"
      size="xs"
      className={classes.choice ?? ""}
      allowDeselect={false}
      data={[
        ...samples.map((sample) => ({
          value: String(sample.id),
          label: `${formatInstant(Date.parse(sample.at), zone)} · ${outcomeOf(sample).words}`,
        })),
        { value: PASTED, label: "Paste one" },
      ]}
      value={chosen}
      onChange={(id) => id !== null && onChoose(id)}
    />
  );
}
