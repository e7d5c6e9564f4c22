"use client";
import { Button, Radio, SegmentedControl, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import type { SourceView } from "@/server/contracts/sources";
import { ANSWER_POLICIES, type AnswerPolicy, type SourceDoor, type SourceKind } from "@/server/domain/source";
import { useMay } from "../queries/access";
import { saidOf } from "../queries/request";
import { makeSource, makeSourceKey, SOURCES, templatesQuery } from "../queries/sources";
import { NotYet } from "../shell/not-yet";
import { Dialog } from "../ui/dialog";
import { Copyable, Failure } from "../ui/feedback";
import form from "../ui/form.module.css";
import { Arrived } from "./arrived";
import { DoorFields, isDoorReady, newDoor } from "./door-fields";
import { type Guess, Guessed, useGuesses } from "./guessed";
import { doorTypes, KindList, type Template } from "./kind-list";
import { NO_PAYLOAD, PayloadFields } from "./payload-fields";
import { Setup } from "./setup";
import { SiteField } from "./site-field";
import classes from "./sources.module.css";
import { ANSWERS, DOORS, nameFault, suggestedName } from "./words";

interface NewSourceProps {
  /** Names that are taken. */
  taken: readonly string[];
  onClose: () => void;
}

/** What a source is made from: a template, or what a payload was guessed to be. */
interface Start {
  readonly template: Template;
  readonly guess: Guess | null;
}

/** A source that was made, and its key; null where its door takes none. */
interface Made {
  readonly source: SourceView;
  readonly secret: string | null;
  /** What went wrong with its key. */
  readonly keyFault: Error | null;
}

/** Makes a source: chooses who sends, says how it is called, shows its key once, and waits for the first message. */
export function NewSource({ taken, onClose }: NewSourceProps) {
  const [start, setStart] = useState<Start | null>(null);
  const [made, setMade] = useState<Made | null>(null);
  if (made) return <MadeSource made={made} onClose={onClose} />;
  if (start)
    return <Settings start={start} taken={taken} onMade={setMade} onBack={() => setStart(null)} onClose={onClose} />;
  return <ChooseKind onChosen={setStart} onClose={onClose} />;
}

function ChooseKind({ onChosen, onClose }: { onChosen: (start: Start) => void; onClose: () => void }) {
  const { data, error, refetch, isFetching } = useQuery(templatesQuery());
  const templates = data?.items;
  const [way, setWay] = useState<"sender" | "payload">("sender");
  const [payload, setPayload] = useState(NO_PAYLOAD);
  const [guess, setGuess] = useState<Guess | null>(null);
  const guesses = useGuesses(payload);
  // The likeliest is chosen until a person chooses another.
  const chosen = guess ?? guesses.best;
  const choose = (kind: SourceKind, from: Guess | null) => {
    const template = templates?.find((one) => one.kind === kind);
    if (template) onChosen({ template, guess: from });
  };
  return (
    <Dialog title="New source: who sends" size={640} onClose={onClose}>
      <div className={form.dialog}>
        <SegmentedControl
          aria-label="How to choose"
          size="sm"
          value={way}
          onChange={(value) => setWay(value as typeof way)}
          data={[
            { value: "sender", label: "Choose the sender" },
            { value: "payload", label: "Paste what it sends" },
          ]}
        />
        {templates ? null : (
          <NotYet
            what="the templates"
            error={error}
            onRetry={() => void refetch()}
            isRetrying={isFetching}
            rows={6}
            height={36}
          />
        )}
        {templates && way === "sender" ? (
          <KindList templates={templates} chosen={null} onChoose={(kind) => choose(kind, null)} />
        ) : null}
        {templates && way === "payload" ? (
          <>
            <PayloadFields
              payload={payload}
              onChange={(next) => {
                setPayload(next);
                setGuess(null);
              }}
              autoFocus
            />
            <Guessed {...{ payload, guesses, templates, chosen }} onChoose={setGuess} />
          </>
        ) : null}
        <div className={form.buttons}>
          <Button size="sm" variant="default" onClick={onClose}>
            Cancel
          </Button>
          {way === "payload" ? (
            <Button size="sm" disabled={chosen === null} onClick={() => chosen && choose(chosen.kind, chosen)}>
              Go on
            </Button>
          ) : null}
        </div>
      </div>
    </Dialog>
  );
}

interface SettingsProps {
  start: Start;
  taken: readonly string[];
  onMade: (made: Made) => void;
  onBack: () => void;
  onClose: () => void;
}

function Settings({ start: { template, guess }, taken, onMade, onBack, onClose }: SettingsProps) {
  const queries = useQueryClient();
  const doors = doorTypes(template);
  const [name, setName] = useState(() => suggestedName(template.kind, taken));
  const [site, setSite] = useState("");
  const [answer, setAnswer] = useState<AnswerPolicy>(template.answer);
  const [door, setDoor] = useState<SourceDoor>(() => newDoor(doors[0] ?? "http", name));
  const [doorSecret, setDoorSecret] = useState("");
  const mayHere = useMay("edit", site.trim() || null);
  const fault = nameFault(name, taken);
  const isHeard = door.type === "http" || door.type === "mqtt";
  const make = useMutation({
    mutationFn: async (): Promise<Made> => {
      const source = await makeSource({
        ...{ name, kind: template.kind, answer, site: site.trim() || null, door: door as never },
        ...(guess ? { mapping: guess.mapping } : {}),
        secret: doorSecret || null,
      });
      if (!isHeard) return { source, secret: null, keyFault: null };
      try {
        return { source, secret: (await makeSourceKey(name)).text, keyFault: null };
      } catch (error) {
        // It is there all the same: its page makes keys, too.
        return { source, secret: null, keyFault: error as Error };
      }
    },
    onSuccess: onMade,
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES] }),
  });
  const isReady = fault === null && mayHere && isDoorReady(door);
  return (
    <Dialog title={`New source: ${template.title}`} size={640} onClose={onClose}>
      <form
        className={form.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !make.isPending) make.mutate();
        }}
      >
        <TextInput
          label="Name"
          description="It stands in its address and can’t be changed."
          inputWrapperOrder={["label", "input", "description", "error"]}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={fault}
          maxLength={63}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        <SiteField
          value={site}
          onChange={setSite}
          error={mayHere ? null : "You may make sources at your own sites alone: say which."}
        />
        {doors.length > 1 ? (
          <div className={classes.once}>
            <SegmentedControl
              aria-label="Where it comes in"
              size="sm"
              value={door.type}
              onChange={(type) => setDoor(newDoor(type as SourceDoor["type"], name))}
              data={doors.map((type) => ({ value: type, label: DOORS[type].title }))}
            />
            <p>{DOORS[door.type].about}</p>
          </div>
        ) : null}
        <DoorFields key={door.type} door={door} onChange={setDoor} secret={doorSecret} onSecret={setDoorSecret} />
        {door.type === "http" ? <AnswerChoice answer={answer} onChange={setAnswer} /> : null}
        {make.error ? (
          <Failure what="No source was made" why={saidOf(make.error)} advice="What is filled in here is kept." />
        ) : null}
        <div className={form.buttons}>
          <Button size="sm" variant="default" onClick={onBack}>
            Back
          </Button>
          <Button size="sm" type="submit" disabled={!isReady} loading={make.isPending}>
            {isHeard ? "Make it and its key" : "Make it"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Chooses what a sender is answered. */
export function AnswerChoice({ answer, onChange }: { answer: AnswerPolicy; onChange: (answer: AnswerPolicy) => void }) {
  return (
    <Radio.Group label="What can’t be read" value={answer} onChange={(value) => onChange(value as AnswerPolicy)}>
      {[...ANSWER_POLICIES].reverse().map((policy) => (
        <Radio key={policy} value={policy} label={ANSWERS[policy].title} description={ANSWERS[policy].about} mt={8} />
      ))}
    </Radio.Group>
  );
}

function MadeSource({ made: { source, secret, keyFault }, onClose }: { made: Made; onClose: () => void }) {
  const router = useRouter();
  return (
    <Dialog title={`Source ${source.name}`} size={720} onClose={onClose} isLasting>
      <div className={form.dialog}>
        {secret === null ? null : (
          <>
            <div className={classes.once}>
              <p>Its key</p>
              <Copyable text={secret} label="Copy: Its key" />
            </div>
            <p>
              <b>It is not shown again</b>: only its hash is kept. Below it is filled in where it belongs.
            </p>
          </>
        )}
        {keyFault ? (
          <Failure
            what="The source is there, but no key was made"
            why={saidOf(keyFault)}
            advice="Its page can make one."
          />
        ) : null}
        <Setup source={source} secret={secret} />
        <Arrived name={source.name} />
        <div className={form.buttons}>
          <Button size="sm" onClick={() => router.push(`/sources/${source.name}`)}>
            Done, see the source
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
