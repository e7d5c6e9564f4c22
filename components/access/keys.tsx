"use client";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { KeysAnswer, KeyView, ListedKey, MadeKey } from "@/server/contracts/access";
import { counted } from "@/server/domain/counted";
import { readable } from "@/server/domain/readable";
import { ACCESS, keysQuery, useMay } from "../queries/access";
import { RevokeKey } from "../shell/revoke-key";
import { Age } from "../ui/age";
import { useClock } from "../ui/clock";
import { Empty } from "../ui/feedback";
import { formatInstant, formatTick } from "../ui/format";
import { keyState } from "../ui/key-state";
import { Spoken } from "../ui/spoken";
import { StateMark } from "../ui/state-mark";
import { useZone } from "../ui/zone";
import classes from "./access.module.css";
import { AdminPage, Loaded } from "./admin-page";
import { MadeKeyDialog, MakeKey, RotateKey } from "./key-dialogs";
import { newNamesNote, purposeOf } from "./key-words";

/** Keys of programs and devices: who made them, for what, and when they were used last. */
export function Keys() {
  return (
    <AdminPage title="Keys" what="Seeing the keys of programs and devices" permission="make-keys">
      <List />
    </AdminPage>
  );
}

function List() {
  const query = useQuery(keysQuery());
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<MadeKey | null>(null);
  const [rotating, setRotating] = useState<KeyView | null>(null);
  const [revoking, setRevoking] = useState<KeyView | null>(null);
  return (
    <div>
      <Loaded query={query} what="the keys">
        {({ items, newNamesLimits }) => (
          <Table
            keys={items}
            limits={newNamesLimits}
            onMake={() => setMaking(true)}
            onRotate={setRotating}
            onRevoke={setRevoking}
          />
        )}
      </Loaded>
      {isMaking ? (
        <MakeKey
          onMade={(key) => {
            setMaking(false);
            setMade(key);
          }}
          onClose={() => setMaking(false)}
        />
      ) : null}
      {rotating ? (
        <RotateKey
          accessKey={rotating}
          onMade={(key) => {
            setRotating(null);
            setMade(key);
          }}
          onClose={() => setRotating(null)}
        />
      ) : null}
      {made ? <MadeKeyDialog made={made} onClose={() => setMade(null)} /> : null}
      {revoking ? (
        <RevokeKey
          accessKey={revoking}
          called={revoking.name}
          lastUsedFrom={revoking.lastUsedFrom}
          shownBy={[ACCESS]}
          onClose={() => setRevoking(null)}
        />
      ) : null}
    </div>
  );
}

interface TableProps {
  keys: readonly ListedKey[];
  limits: KeysAnswer["newNamesLimits"];
  onMake: () => void;
  onRotate: (key: KeyView) => void;
  onRevoke: (key: KeyView) => void;
}

function Table({ keys, limits, onMake, onRotate, onRevoke }: TableProps) {
  const [showsEnded, setShowsEnded] = useState(false);
  const now = useClock((clock) => latestMoment(keys, clock)) ?? 0;
  const ended = keys.filter((key) => keyState(key, now).isEnded);
  const shown = showsEnded ? keys : keys.filter((key) => !ended.includes(key));
  const make = (
    <Button size="compact-sm" onClick={onMake}>
      Make a key…
    </Button>
  );
  if (keys.length === 0)
    return <Empty action={make}>No key yet. Programs and devices show one to send telemetry or to read.</Empty>;
  return (
    <>
      <div className={classes.bar}>
        <p>{counted(keys.length - ended.length, "key that works", "keys that work")}</p>
        <span className={classes.barEnd}>
          {ended.length > 0 ? (
            <Button
              size="compact-sm"
              variant="default"
              aria-pressed={showsEnded}
              onClick={() => setShowsEnded((was) => !was)}
            >
              {showsEnded ? "Hide" : "Show"} {ended.length} ended
            </Button>
          ) : null}
          {make}
        </span>
      </div>
      {shown.length === 0 ? <Empty>None works any more.</Empty> : null}
      <table className={classes.table} aria-label="Keys" hidden={shown.length === 0}>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" className={classes.fromWide}>
              For
            </th>
            <th scope="col" className={classes.fromMedium}>
              Made
            </th>
            <th scope="col" className={classes.fromMedium}>
              Expires
            </th>
            <th scope="col" className={classes.used}>
              Last used
            </th>
            <th scope="col" className={classes.fromWide}>
              State
            </th>
            <th scope="col" className={classes.actions}>
              <Spoken>Actions</Spoken>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((key) => (
            <Row
              key={key.id}
              accessKey={key}
              newNames={newNamesNote(key.newNames, limits)}
              now={now}
              onRotate={() => onRotate(key)}
              onRevoke={() => onRevoke(key)}
            />
          ))}
        </tbody>
      </table>
    </>
  );
}

interface RowProps {
  accessKey: KeyView;
  newNames: ReturnType<typeof newNamesNote>;
  now: number;
  onRotate: () => void;
  onRevoke: () => void;
}

function Row({ accessKey, newNames, now, onRotate, onRevoke }: RowProps) {
  const { id, name, networks, madeBy, createdAt, expiresAt, revokedAt, lastUsedAt, lastUsedFrom } = accessKey;
  const { zone } = useZone();
  const { mark, word, isEnded } = keyState(accessKey, now);
  // Who makes keys of devices leaves programs' to administrators.
  const isAdmin = useMay("administer", accessKey.site);
  return (
    <tr data-key={id} data-ended={isEnded || undefined}>
      <th scope="row">
        {readable(name)} <small title="The part of the key that is no secret">{id}</small>
        <small className={classes.below}>
          {purposeOf(accessKey)}
          {mark !== "ok" ? `, ${word.toLowerCase()}` : ""}
        </small>
        {newNames === null ? null : (
          <small className={classes.note}>
            {newNames.text}
            {newNames.isFull ? "; what is new is refused" : ""}
          </small>
        )}
      </th>
      <td className={`${classes.fromWide} ${classes.wide}`}>
        {purposeOf(accessKey)}
        {networks.length > 0 ? <small title={networks.join(", ")}> from {networksWord(networks)}</small> : null}
      </td>
      <td className={`${classes.fromMedium} ${classes.time}`}>
        <Age time={createdAt} /> <small>by {readable(madeBy)}</small>
      </td>
      <td className={`${classes.fromMedium} ${classes.time}`}>
        {expiresAt === null ? (
          "never"
        ) : (
          <time dateTime={expiresAt} title={formatInstant(Date.parse(expiresAt), zone)}>
            {formatTick(Date.parse(expiresAt), zone, YEAR_MS)}
          </time>
        )}
      </td>
      <td className={`${classes.time} ${classes.usedCell}`}>
        {lastUsedAt === null ? (
          "never"
        ) : (
          <>
            <Age time={lastUsedAt} />
            {lastUsedFrom === null ? null : <small className={classes.wide}> from {lastUsedFrom}</small>}
          </>
        )}
      </td>
      <td className={`${classes.fromWide} ${classes.state}`}>
        <StateMark mark={mark} word={word} /> {revokedAt === null ? null : <Age time={revokedAt} />}
      </td>
      <td className={classes.actions}>
        {isEnded || (accessKey.kind === "service" && !isAdmin) ? null : (
          <>
            <Button size="compact-xs" variant="default" onClick={onRotate} aria-label={`Rotate ${name}`}>
              Rotate…
            </Button>{" "}
            <Button size="compact-xs" variant="default" onClick={onRevoke} aria-label={`Revoke ${name}`}>
              Revoke…
            </Button>
          </>
        )}
      </td>
    </tr>
  );
}

/** The minute, or the moment at which a key has ended since: what can't be done any more isn't offered. */
function latestMoment(keys: readonly KeyView[], now: number): number {
  let latest = Math.floor(now / 60_000) * 60_000;
  for (const { expiresAt } of keys) {
    const end = expiresAt === null ? 0 : Date.parse(expiresAt);
    if (end <= now && end > latest) latest = end;
  }
  return latest;
}

const YEAR_MS = 366 * 86_400_000;

function networksWord([first, ...others]: readonly string[]): string {
  return others.length === 0 ? first! : `${first} and ${others.length} more`;
}
