"use client";
import { Button, CloseButton } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type RefObject, useState } from "react";
import type { DeadLetterView } from "@/server/contracts/dead-letters";
import { toSegment } from "@/server/domain/segment";
import { useMay, useMayAtDevice } from "../queries/access";
import { changeLetter, DEAD_LETTERS, letterQuery } from "../queries/dead-letters";
import { RequestError } from "../queries/request";
import { MayNot } from "../shell/may-not";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { Failure, Loading, StaleNotice } from "../ui/feedback";
import { Expected } from "./expected";
import { LetterBytes } from "./letter-bytes";
import { LetterHistory } from "./letter-history";
import { LetterOrigin } from "./letter-origin";
import { Outcome } from "./outcome";
import own from "./letter.module.css";
import classes from "./panel.module.css";
import { StatusMark } from "../ui/letter-status";
import type { ChangeView } from "./use-view";
import { type GroupKey, groupName } from "./view";
import { Link } from "../ui/link";

const ResendEditor = dynamic(() => import("./resend-editor").then((editor) => editor.ResendEditor), {
  ssr: false,
  loading: () => <Loading rows={6} label="Loading the editor" />,
});

interface LetterProps {
  id: string;
  head: RefObject<HTMLHeadingElement | null>;
  /** The group it is in; null until that is known. */
  group: GroupKey | null;
  /** The dead letters before and after it in its group. */
  beside: { readonly newer: string | null; readonly older: string | null };
  change: ChangeView;
  onClose: () => void;
}

/** One dead letter: what came in, what was expected, what was done with it, and what can be done. */
export function Letter(props: LetterProps) {
  const { id, head, group, beside, change, onClose } = props;
  const maySee = useMay("view-messages");
  const { data, error, refetch, isFetching } = useQuery({ ...letterQuery(id), enabled: maySee });
  const isMissing = error instanceof RequestError && error.status === 404;
  const show = (letter: string | null) =>
    letter !== null && change({ letter, ...(group ? { group: groupName(group) } : {}) });
  return (
    <>
      <header className={classes.head}>
        <div className={classes.titles}>
          <h2 ref={head} tabIndex={-1}>
            {data?.title ?? "Dead letter"}
          </h2>
          <p>
            {data ? (
              <>
                <StatusMark status={data.status} isRefused={data.resentAs !== null} /> <Age time={data.ingestTime} />
              </>
            ) : null}
          </p>
        </div>
        <div className={classes.actions}>
          {group ? (
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => change({ letter: null, group: groupName(group) })}
            >
              Its group
            </Button>
          ) : null}
          <Button
            size="compact-sm"
            variant="default"
            disabled={beside.newer === null}
            onClick={() => show(beside.newer)}
            title="Newer ( [ )"
          >
            Newer
          </Button>
          <Button
            size="compact-sm"
            variant="default"
            disabled={beside.older === null}
            onClick={() => show(beside.older)}
            title="Older ( ] )"
          >
            Older
          </Button>
          <CloseButton size="sm" aria-label="Close" title="Close (Esc)" onClick={onClose} />
        </div>
      </header>
      <div className={classes.body}>
        {!maySee ? (
          <MayNot what="Seeing dead letters as they came" permission="view-messages" />
        ) : isMissing ? (
          <p className={classes.muted}>There is no such dead letter, or its retention has ended.</p>
        ) : !data ? (
          <NotYet
            what="this dead letter"
            error={error}
            onRetry={() => void refetch()}
            isRetrying={isFetching}
            rows={10}
            height={24}
          />
        ) : (
          <>
            {error ? (
              <StaleNotice onRetry={() => void refetch()}>This may be out of date: {error.message}</StaleNotice>
            ) : null}
            <InFull letter={data} change={change} />
          </>
        )}
      </div>
    </>
  );
}

function InFull({ letter, change }: { letter: DeadLetterView; change: ChangeView }) {
  const queries = useQueryClient();
  const [isEditing, setEditing] = useState(false);
  // The device whose readings came of it: the edited message may name one where the original did not.
  const [sentFor, setSentFor] = useState<string | null>(null);
  const keep = (next: DeadLetterView) => {
    queries.setQueryData(letterQuery(letter.id).queryKey, next);
    void queries.invalidateQueries({ queryKey: [DEAD_LETTERS] });
  };
  const decide = useMutation({
    mutationFn: (action: "discard" | "restore") => changeLetter(letter.id, action),
    onSuccess: keep,
    onError: () => void queries.invalidateQueries({ queryKey: [DEAD_LETTERS] }),
  });
  const mayOperate = useMayAtDevice("operate", letter.device);
  const { status, device, field, detail, resendOf, resentAs } = letter;
  const isLinkedBelow = device !== null && status !== "resent";
  const isOpen = status === "open";
  return (
    <>
      <div>
        <p className={classes.detail}>
          <b>{field !== null && detail.startsWith(field) ? detail : capitalised(detail)}.</b>
        </p>
        <Outcome letter={letter} device={sentFor ?? device} />
      </div>
      {decide.error ? (
        <Failure
          what="It may not have been changed"
          why={decide.error.message}
          advice="What is shown here was loaded again; try again if it is still so."
        />
      ) : null}
      <div className={own.decide}>
        {mayOperate && isOpen && !isEditing ? (
          <>
            <Button size="xs" onClick={() => setEditing(true)}>
              Edit and resend
            </Button>
            <Button size="xs" variant="default" loading={decide.isPending} onClick={() => decide.mutate("discard")}>
              Discard
            </Button>
          </>
        ) : null}
        {mayOperate && status === "discarded" ? (
          <Button size="xs" variant="default" loading={decide.isPending} onClick={() => decide.mutate("restore")}>
            Undo: make it open again
          </Button>
        ) : null}
        {isLinkedBelow ? <Link href={`/devices/${toSegment(device)}`}>Device {device}</Link> : null}
        {resendOf === null ? null : (
          <LetterLink id={resendOf} change={change}>
            Came of resending an earlier one
          </LetterLink>
        )}
        {resentAs === null ? null : (
          <LetterLink id={resentAs} change={change}>
            Became another dead letter
          </LetterLink>
        )}
      </div>
      {isEditing && isOpen ? (
        <ResendEditor
          letter={letter}
          onSent={(next, about) => {
            setEditing(false);
            setSentFor(about);
            keep(next);
          }}
          onClose={() => setEditing(false)}
        />
      ) : null}
      <div className={own.beside}>
        <LetterBytes letter={letter} />
        <Expected letter={letter} />
      </div>
      <div className={own.beside}>
        <LetterHistory letter={letter} />
        <LetterOrigin letter={letter} />
      </div>
    </>
  );
}

function LetterLink({ id, change, children }: { id: string; change: ChangeView; children: string }) {
  return (
    <a
      href={`?letter=${encodeURIComponent(id)}`}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        // It may have another reason, and so be in another group.
        change({ letter: id, group: null }, "push");
      }}
    >
      {children}
    </a>
  );
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
