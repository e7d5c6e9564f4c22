"use client";
import { useMemo } from "react";
import type { Explained, SourcePayload } from "@/server/contracts/sources";
import { counted } from "@/server/domain/counted";
import type { MappingInput } from "@/server/domain/mapping/mapping";
import { readable } from "@/server/domain/readable";
import { MarkShape } from "../ui/state-mark";
import { LeafMenu } from "./leaf-menu";
import { leafWords } from "./leaf-words";
import { MOST_LINES, payloadLines, type PayloadLine } from "./payload-lines";
import classes from "./mapping.module.css";

interface PayloadViewProps {
  payload: SourcePayload;
  /** Undefined until it is known. */
  explained: Explained | undefined;
  /** What a click on a leaf changes; null where nobody may. */
  mapping: MappingInput | null;
  onChange: (mapping: MappingInput) => void;
  /** The path that is pointed at, here or among the readings. */
  pointed: string | null;
  onPoint: (path: string | null) => void;
}

/** A payload with each of its values marked as used, ignored or refused. */
export function PayloadView({ payload, explained, ...on }: PayloadViewProps) {
  const shown = useMemo(
    () => (payload.encoding === "utf-8" ? payloadLines(payload.body, explained?.leaves ?? []) : null),
    [payload, explained],
  );
  const rest = shown ? shown.rest : (explained?.leaves ?? []);
  return (
    <>
      <Beside payload={payload} />
      {shown ? (
        <ol className={classes.tree} aria-label="Payload">
          {shown.lines.slice(0, MOST_LINES).map((line, i) => (
            <Line key={i} line={line} {...on} />
          ))}
          {shown.lines.length > MOST_LINES ? (
            <li className={classes.cut}>and {counted(shown.lines.length - MOST_LINES, "more line")}</li>
          ) : null}
        </ol>
      ) : (
        <pre className={classes.raw} tabIndex={0} aria-label="Payload">
          {payload.body === "" ? <i>no bytes at all</i> : readable(payload.body)}
        </pre>
      )}
      {rest.length > 0 ? (
        <ol className={classes.tree} aria-label={shown ? "Other values" : "Values in it"}>
          {rest.slice(0, MOST_LINES).map((leaf) => (
            <Line key={leaf.path} line={{ depth: 0, key: "", text: leaf.path || "all of it", leaf }} {...on} />
          ))}
        </ol>
      ) : null}
    </>
  );
}

function Beside({
  payload: { topic, retained, path, query, headers, contentType, kafka },
}: {
  payload: SourcePayload;
}) {
  const facts = [
    ["topic", topic],
    ["retained", retained ? "yes" : null],
    ["path", path.length > 0 ? path.join("/") : null],
    ["query", new URLSearchParams(query).toString() || null],
    ["content type", contentType],
    ...Object.entries(headers).map(([name, value]) => [name, value] as const),
    ["Kafka topic", kafka?.topic ?? null],
    ["Kafka key", kafka?.key ?? null],
  ] as const;
  const known = facts.filter(([, value]) => value !== null);
  if (known.length === 0) return null;
  return (
    <dl className={classes.beside}>
      {known.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{readable(value!)}</dd>
        </div>
      ))}
    </dl>
  );
}

type LineProps = Omit<PayloadViewProps, "payload" | "explained"> & { line: PayloadLine };

function Line({ line: { depth, key, text, leaf }, mapping, onChange, pointed, onPoint }: LineProps) {
  const indent = { paddingLeft: `${depth * 16}px` };
  const content = (
    <code style={indent}>
      <span className={classes.key}>{readable(key)}</span>
      {readable(text)}
    </code>
  );
  if (!leaf) return <li>{content}</li>;
  const { mark, word, more } = leafWords(leaf);
  const label = (
    <>
      {content}
      <span className={classes.fate} data-as={leaf.as}>
        <MarkShape mark={mark} />
        <span>{leaf.as === "reading" ? more : [word, more].filter(Boolean).join(": ")}</span>
      </span>
    </>
  );
  const point = {
    onMouseEnter: () => onPoint(leaf.path),
    onMouseLeave: () => onPoint(null),
  };
  return (
    <li data-as={leaf.as} data-pointed={pointed === leaf.path || undefined} {...point}>
      {mapping ? (
        <LeafMenu leaf={leaf} text={text} mapping={mapping} onChange={onChange} onPoint={onPoint}>
          {label}
        </LeafMenu>
      ) : (
        <span className={classes.leaf}>{label}</span>
      )}
    </li>
  );
}
