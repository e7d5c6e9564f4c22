"use client";
import { useQuery } from "@tanstack/react-query";
import { useMay } from "../queries/access";
import { newestLettersQuery } from "../queries/overview";
import { MayNot } from "../shell/may-not";
import { Age } from "../ui/age";
import { Loading } from "../ui/feedback";
import { Section } from "../ui/section";
import { groupNewest } from "../queries/new-letters";
import classes from "./lists.module.css";
import { Link } from "../ui/link";

/** Looked at, and shown after bringing together what is the same. */
const LOOKED_AT = 100;
const ROWS = 6;

/** The dead letters that came last, for those who may see them. */
export function NewLetters() {
  const maySee = useMay("view-messages");
  const { data, error } = useQuery({ ...newestLettersQuery(LOOKED_AT), enabled: maySee });
  const groups = data ? groupNewest(data, ROWS) : [];
  return (
    <Section
      title="Newest dead letters"
      aside={
        <Link href="/dead-letters" className={classes.aside}>
          All
        </Link>
      }
    >
      {!maySee ? <MayNot what="Seeing dead letters as they came" permission="view-messages" /> : null}
      {maySee && !data && !error ? <Loading rows={ROWS} label="Loading dead letters" /> : null}
      {!data && error ? <p className={classes.none}>Could not be loaded: {error.message}</p> : null}
      {data?.length === 0 ? (
        <p className={classes.none}>None. Whatever can&apos;t become a reading is kept here whole.</p>
      ) : null}
      {groups.length > 0 ? (
        <ul className={classes.list}>
          {groups.map(({ id, title, detail, device, field, ingestTime, count }) => (
            <li key={id}>
              <Link href={`/dead-letters?letter=${encodeURIComponent(id)}`} title={detail} className={classes.row}>
                <span className={classes.reason}>{title}</span>
                <span className={classes.name}>{[device ?? "no device", field].filter(Boolean).join(" · ")}</span>
                <span className={classes.times} title={`${count} of the newest ${LOOKED_AT}`}>
                  {count > 1 ? `× ${count}` : ""}
                </span>
                <Age time={ingestTime} className={classes.age ?? ""} />
              </Link>
            </li>
          ))}
        </ul>
      ) : null}
    </Section>
  );
}
