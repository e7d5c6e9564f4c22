"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { KeyView, MadeKey } from "@/server/contracts/access";
import type { SourceView } from "@/server/contracts/sources";
import { readable } from "@/server/domain/readable";
import { makeSourceKey, sourceKeysQuery, SOURCES } from "../queries/sources";
import { FormDialog } from "../shell/form-dialog";
import { RevokeKey } from "../shell/revoke-key";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { useNow } from "../ui/clock";
import { Empty } from "../ui/feedback";
import { keyState } from "../ui/key-state";
import { OnceDialog } from "../ui/once-dialog";
import { Section } from "../ui/section";
import { StateMark } from "../ui/state-mark";
import classes from "./sources.module.css";

/** Keys that work at once. */
const MOST = 2;

/** The keys of a source: two at most, so that one can be put in place of the other without a loss. */
export function SourceKeys({ source: { name } }: { source: SourceView }) {
  const { data, error, refetch, isFetching } = useQuery(sourceKeysQuery(name));
  const now = useNow(60_000);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey | null>(null);
  const [revoking, setRevoking] = useState<KeyView | null>(null);
  const working = data?.filter((key) => !keyState(key, now).isEnded) ?? [];
  const make = (
    <Button size="xs" variant="default" disabled={working.length >= MOST} onClick={() => setMaking(true)}>
      {working.length === 0 ? "Make a key…" : "Rotate…"}
    </Button>
  );
  return (
    <Section title="Keys" aside={data && working.length > 0 ? make : null}>
      {data ? null : (
        <NotYet
          what="its keys"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={2}
          height={32}
        />
      )}
      {data && working.length === 0 ? <Empty action={make}>No key works: nothing can be sent to it.</Empty> : null}
      {working.length > 0 ? (
        <ul className={classes.keys}>
          {working.map((key) => (
            <Row key={key.id} accessKey={key} now={now} onRevoke={() => setRevoking(key)} />
          ))}
        </ul>
      ) : null}
      {working.length >= MOST ? (
        <p className={classes.about}>Two keys work at most: revoke the one that isn’t used any more to make another.</p>
      ) : null}
      {isMaking ? (
        <MakeSourceKey
          name={name}
          isSecond={working.length > 0}
          onMade={(key) => {
            setMaking(false);
            setMade(key);
          }}
          onClose={() => setMaking(false)}
        />
      ) : null}
      {made ? (
        <OnceDialog
          title={`Key of ${name}`}
          texts={[{ label: "The key", text: made.text }]}
          onClose={() => setMade(null)}
        >
          <p>
            <b>It is not shown again</b>: only its hash is kept. Whoever has it can send to this source until it is
            revoked.
          </p>
        </OnceDialog>
      ) : null}
      {revoking ? (
        <RevokeKey
          accessKey={revoking}
          called={revoking.id}
          shownBy={[SOURCES, "keys", name]}
          onClose={() => setRevoking(null)}
        />
      ) : null}
    </Section>
  );
}

function Row({ accessKey, now, onRevoke }: { accessKey: KeyView; now: number; onRevoke: () => void }) {
  const { id, createdAt, madeBy, lastUsedAt, lastUsedFrom } = accessKey;
  const { mark, word } = keyState(accessKey, now);
  return (
    <li data-key={id}>
      <code title="The part of the key that is no secret">{id}</code>
      <StateMark mark={mark} word={word} />
      <span>
        made <Age time={createdAt} /> <small>by {readable(madeBy)}</small>
      </span>
      <span>
        {lastUsedAt === null ? (
          "never used"
        ) : (
          <>
            used <Age time={lastUsedAt} />
            {lastUsedFrom === null ? null : <small> from {lastUsedFrom}</small>}
          </>
        )}
      </span>
      <Button size="compact-xs" variant="default" onClick={onRevoke} aria-label={`Revoke ${id}`}>
        Revoke…
      </Button>
    </li>
  );
}

interface MakeSourceKeyProps {
  name: string;
  isSecond: boolean;
  onMade: (made: MadeKey) => void;
  onClose: () => void;
}

function MakeSourceKey({ name, isSecond, onMade, onClose }: MakeSourceKeyProps) {
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => makeSourceKey(name),
    onSuccess: onMade,
    onSettled: () => queries.invalidateQueries({ queryKey: [SOURCES, "keys", name] }),
  });
  return (
    <FormDialog
      title={isSecond ? `Rotate the key of ${name}` : `Make a key of ${name}`}
      act={isSecond ? "Make a second key" : "Make the key"}
      failed="No key was made"
      isSending={make.isPending}
      error={make.error}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <p>
        {isSecond ? (
          <>
            <b>Both work</b> until you revoke the first, so nothing is lost: put the second in place, see that it is
            used, then revoke the first.
          </>
        ) : (
          "Its sender shows the key with everything it sends. It sends to this source, and sees nothing."
        )}
      </p>
    </FormDialog>
  );
}
