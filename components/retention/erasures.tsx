"use client";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { ErasureView } from "@/server/contracts/removals";
import { allowErased, ERASURES, erasuresQuery } from "../queries/removals";
import { FormDialog } from "../shell/form-dialog";
import { NotYet } from "../shell/not-yet";
import { Age } from "../ui/age";
import { formatInstant, formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { useZone } from "../ui/zone";
import { droppedWords, erasureTitle, erasureWords, requestWords } from "./erasure-words";
import classes from "./erasures.module.css";

const ErasePerson = dynamic(() => import("./erase-person").then((dialog) => dialog.ErasePerson), { ssr: false });

/** Devices that were erased, the proof of each, and what remains elsewhere. */
export function Erasures() {
  const { data, error, refetch, isFetching } = useQuery(erasuresQuery(true));
  const [allowed, setAllowed] = useState<ErasureView | null>(null);
  const [isErasing, setErasing] = useState(false);
  if (!data)
    return (
      <Section title="Erased devices">
        <NotYet
          what="the erasures"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={1}
          height={48}
        />
      </Section>
    );
  return (
    <Section
      title="Erased devices"
      aside={
        <Button size="compact-sm" variant="default" onClick={() => setErasing(true)}>
          Erase a person…
        </Button>
      }
    >
      {data.items.length === 0 ? (
        <p className={classes.about}>None. A device is erased by Delete on its page, all devices of a person here.</p>
      ) : (
        <ul className={classes.list}>
          {byRequest(data.items).map((some) =>
            some[0]!.request === null ? (
              <Erasure key={some[0]!.id} erasure={some[0]!} onAllow={() => setAllowed(some[0]!)} />
            ) : (
              <li key={some[0]!.id} className={classes.request} data-request={some[0]!.request}>
                <h3>
                  {requestWords(some)} <small>request {some[0]!.request}</small>
                </h3>
                <ul className={classes.list}>
                  {some.map((erasure) => (
                    <Erasure key={erasure.id} erasure={erasure} onAllow={() => setAllowed(erasure)} />
                  ))}
                </ul>
              </li>
            ),
          )}
        </ul>
      )}
      {isErasing ? <ErasePerson onClose={() => setErasing(false)} /> : null}
      {allowed ? <Allow erasure={allowed} onClose={() => setAllowed(null)} /> : null}
    </Section>
  );
}

/** Those that were asked for together, beside each other; each other one by itself. */
function byRequest(erasures: readonly ErasureView[]): ErasureView[][] {
  const groups = new Map<string, ErasureView[]>();
  for (const one of erasures) {
    const key = one.request === null ? `one ${one.id}` : `of ${one.request}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function Erasure({ erasure, onAllow }: { erasure: ErasureView; onAllow: () => void }) {
  const { zone } = useZone();
  const { id, since, provenAt, stores, remains, mark, state, allowedAt } = erasure;
  return (
    <li className={classes.erasure} data-erasure={id}>
      <div className={classes.head}>
        <h3>{erasureTitle(erasure)}</h3>
        <span className={classes.when}>
          {provenAt === null ? (
            <>
              begun <Age time={since} />
            </>
          ) : (
            `proven ${formatInstant(Date.parse(provenAt), zone)}`
          )}
        </span>
        {state === "proven" && allowedAt === null ? (
          <Button
            size="compact-xs"
            variant="default"
            onClick={onAllow}
            aria-label={`Take messages again: ${erasureTitle(erasure)}`}
          >
            Take messages again…
          </Button>
        ) : null}
      </div>
      <p>
        {erasureWords(erasure)}. {droppedWords(erasure)}.
      </p>
      <details>
        <summary>Proof and what remains</summary>
        <table className={classes.proof}>
          <thead>
            <tr>
              <th scope="col">Store</th>
              <th scope="col">Taken out</th>
              <th scope="col">Found after</th>
            </tr>
          </thead>
          <tbody>
            {stores.map(({ store, erased, left }) => (
              <tr key={store}>
                <th scope="row">{store}</th>
                <td>{formatTotal(erased)}</td>
                <td>{left === null ? "not looked yet" : formatTotal(left)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {remains.length === 0 ? null : (
          <dl className={classes.remains}>
            {remains.map(({ what, until, why }) => (
              <div key={what}>
                <dt>
                  {what}
                  {until === null ? "" : `, until ${formatInstant(Date.parse(until), zone)}`}
                </dt>
                <dd>{why}</dd>
              </div>
            ))}
          </dl>
        )}
        <p className={classes.mark}>Mark of the name: {mark}</p>
      </details>
    </li>
  );
}

function Allow({ erasure, onClose }: { erasure: ErasureView; onClose: () => void }) {
  const queries = useQueryClient();
  const allow = useMutation({
    mutationFn: () => allowErased(erasure.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: [ERASURES] });
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Take messages again: ${erasureTitle(erasure)}`}
      act="Take again"
      failed="Nothing was changed"
      isSending={allow.isPending}
      error={allow.error}
      onSubmit={() => allow.mutate()}
      onClose={onClose}
    >
      <p>
        Messages under the name that was erased are no longer dropped: the next one makes a new device of that name,
        with nothing of what was erased.
      </p>
    </FormDialog>
  );
}
