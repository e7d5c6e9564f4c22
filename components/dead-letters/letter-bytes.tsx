"use client";
import { CopyButton, SegmentedControl } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import type { DeadLetterView } from "@/server/contracts/dead-letters";
import { prettyJson } from "../ui/pretty-json";
import { formatTotal } from "../ui/format";
import { Section } from "../ui/section";
import { bytesOf, hexDump, type Piece, piecesOfBytes, piecesOfText } from "./bytes";
import { faultIn, type Span } from "./fault";
import classes from "./letter.module.css";

type Shown = "exact" | "pretty" | "hex" | "base64";

/** The bytes as they came in, with the fault marked. */
export function LetterBytes({ letter }: { letter: DeadLetterView }) {
  const { raw, encoding, bytes } = letter;
  const isText = encoding === "utf-8";
  const [shown, setShown] = useState<Shown>("exact");
  const ways: readonly Shown[] = isText ? ["exact", "pretty", "hex"] : ["exact", "hex", "base64"];
  return (
    <Section
      title="As received"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Shown as"
          value={shown}
          onChange={(next) => setShown(next as Shown)}
          data={ways.map((way) => ({ value: way, label: LABELS[way] }))}
        />
      }
    >
      <pre className={classes.bytes} role="group" tabIndex={0} aria-label="Message as received">
        {bytes === 0 ? <i className={classes.muted}>no bytes at all</i> : <Content letter={letter} shown={shown} />}
      </pre>
      <p className={classes.caption}>
        {formatTotal(bytes)} bytes, {isText ? "UTF-8 text" : "not UTF-8: bytes that aren't are shown as \\x00"}{" "}
        <CopyButton value={raw} timeout={2000}>
          {({ copied, copy }) => (
            <button type="button" className={classes.quiet} onClick={copy}>
              {copied ? "Copied" : isText ? "Copy" : "Copy as base64"}
            </button>
          )}
        </CopyButton>
      </p>
    </Section>
  );
}

const LABELS: Record<Shown, string> = { exact: "Exact", pretty: "Pretty", hex: "Hex", base64: "Base64" };

function Content({ letter, shown }: { letter: DeadLetterView; shown: Shown }) {
  const { raw, encoding } = letter;
  const content = useMemo(() => {
    if (shown === "hex") return hexDump(bytesOf(letter));
    if (shown === "base64") return raw;
    if (encoding === "base64") return marked(piecesOfBytes(bytesOf(letter)), null);
    const text = shown === "pretty" ? prettyJson(raw) : raw;
    return marked(piecesOfText(text), faultIn(text, letter));
  }, [letter, raw, encoding, shown]);
  return <>{content}</>;
}

/** Sets off invisible characters and the fault in a text. A fault between two characters is shown as a gap. */
function marked(pieces: readonly Piece[], fault: Span | null): ReactNode[] {
  const nodes: ReactNode[] = [];
  let isMarked = fault === null;
  const mark = (text: string, key: string) => (
    <mark key={key} className={classes.fault}>
      {text}
    </mark>
  );
  for (const [i, { text, start, length, kind }] of pieces.entries()) {
    const end = start + length;
    const isAt = fault !== null && fault.start < end && fault.end > start;
    if (kind === "hidden") {
      nodes.push(
        <b key={i} className={isAt ? `${classes.hidden} ${classes.fault}` : classes.hidden}>
          {text}
        </b>,
      );
      isMarked ||= isAt;
      continue;
    }
    if (!isAt) {
      nodes.push(text);
      continue;
    }
    const from = Math.max(0, fault.start - start);
    const to = Math.min(text.length, fault.end - start);
    nodes.push(text.slice(0, from), mark(text.slice(from, to), `fault ${start}`), text.slice(to));
    isMarked = true;
  }
  if (!isMarked) nodes.push(mark(" ends here ", "end"));
  return nodes;
}
