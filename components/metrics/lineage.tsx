"use client";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { LineageAnswer, LineageEdge, LineageNode } from "@/server/contracts/lineage";
import { lineageQuery } from "../queries/lineage";
import { NotYet } from "../shell/not-yet";
import { OfAllSites } from "../shell/of-all-sites";
import { Page } from "../shell/page";
import { MetricPages } from "../shell/sub-pages";
import { Age } from "../ui/age";
import { StaleNotice } from "../ui/feedback";
import { formatBytes, formatExact, formatTotal } from "../ui/format";
import { Link } from "../ui/link";
import { Section } from "../ui/section";
import { WideTable } from "../ui/wide-table";
import { plotLineage } from "./lineage-plot";
import { flowWords, keptFor, ownerWords, sentWords, sizeWords } from "./lineage-words";
import classes from "./lineage.module.css";

/** What data there is, where it lies, and how one comes of another: a picture fed by what ran, and the same as tables. */
export function Lineage() {
  return (
    <OfAllSites title="Lineage" what="Seeing where all data comes from and goes">
      <Whole />
    </OfAllSites>
  );
}

function Whole() {
  const { data, error, refetch, isFetching } = useQuery(lineageQuery());
  return (
    <Page title="Lineage">
      <MetricPages />
      {data ? (
        <>
          {error ? (
            <StaleNotice onRetry={() => void refetch()}>
              This is from <Age time={data.time} />: {error.message}
            </StaleNotice>
          ) : null}
          <Picture lineage={data} />
          <Datasets lineage={data} />
          <Steps lineage={data} />
          {data.sent ? <Sent sent={data.sent} /> : null}
        </>
      ) : (
        <NotYet
          what="what data there is"
          error={error}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          rows={8}
          height={48}
        />
      )}
    </Page>
  );
}

interface PartProps {
  lineage: LineageAnswer;
}

function Picture({ lineage: { nodes, edges } }: PartProps) {
  const [pointed, setPointed] = useState<string | null>(null);
  const { height, cardHeight, cardWidth, places, lines } = plotLineage(nodes, edges);
  const touches = ({ from, to }: LineageEdge) => from === pointed || to === pointed;
  return (
    <div className={classes.picture} style={{ "--picture-height": `${height}px` } as React.CSSProperties}>
      <svg className={classes.lines} viewBox={`0 0 1000 ${height}`} preserveAspectRatio="none" aria-hidden>
        {lines.map(({ key, edge, path }) => (
          <path
            key={key}
            d={path}
            data-idle={edge.count === 0 || edge.count === null || undefined}
            data-failed={(edge.failed ?? 0) > 0 || undefined}
            data-pointed={(pointed !== null && touches(edge)) || undefined}
          />
        ))}
      </svg>
      <ul className={classes.cards} aria-label="Data, from its sources on">
        {nodes.map((node) => {
          const { x, y } = places.get(node.id)!;
          const into = edges.filter(({ to }) => to === node.id);
          return (
            <li
              key={node.id}
              style={
                {
                  "--x": `${x / 10}%`,
                  "--y": `${y}px`,
                  "--w": `${cardWidth / 10}%`,
                  "--h": `${cardHeight}px`,
                } as React.CSSProperties
              }
            >
              <Link
                href={node.page}
                className={classes.card}
                title={node.meaning}
                onMouseEnter={() => setPointed(node.id)}
                onMouseLeave={() => setPointed(null)}
                onFocusCapture={() => setPointed(node.id)}
                onBlur={() => setPointed(null)}
              >
                <strong>{node.title}</strong>
                <Size node={node} />
                <span className={classes.small}>
                  {node.newest ? (
                    <Age time={node.newest} />
                  ) : node.kind === "downloads" ? (
                    "when asked for"
                  ) : (
                    "nothing yet"
                  )}
                </span>
                <span className={classes.into}>{flowWords(into, nodes)}</span>
              </Link>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Size({ node }: { node: LineageNode }) {
  const text = sizeWords(node);
  return text === null ? null : <span title={node.rows ? formatExact(node.rows.count) : undefined}>{text}</span>;
}

function Datasets({ lineage: { nodes } }: PartProps) {
  return (
    <Section title="Data">
      <WideTable
        label="Data, one kind a row"
        head={
          <>
            <th scope="col">What</th>
            <th scope="col">Meaning</th>
            <th scope="col">Where</th>
            <th scope="col">Owner</th>
            <th scope="col">Kept</th>
            <th scope="col">Rows</th>
            <th scope="col">Size</th>
            <th scope="col">Newest</th>
          </>
        }
      >
        <tbody>
          {nodes.map((node) => (
            <tr key={node.id}>
              <th scope="row">
                <Link href={node.page}>{node.title}</Link>
              </th>
              <td className={classes.words}>{node.meaning}</td>
              <td data-label="Where" className={classes.where}>
                {node.where}
              </td>
              <td
                data-label="Owner"
                className={classes.owner}
                title={[node.owner ?? [], node.metricOwners].flat().join("; ")}
              >
                {ownerWords(node)}
              </td>
              <td data-label="Kept" title={node.setBy ?? undefined}>
                {keptFor(node)}
              </td>
              <td data-label="Rows" title={node.rows ? `${formatExact(node.rows.count)} ${node.rows.of}` : undefined}>
                {node.rows ? (
                  <>
                    {node.rows.isAbout ? "about " : null}
                    {formatTotal(node.rows.count)} <small>{node.rows.of}</small>
                  </>
                ) : (
                  "not counted"
                )}
              </td>
              <td data-label="Size">{node.bytes === null ? "not measured" : formatBytes(node.bytes)}</td>
              <td data-label="Newest">{node.newest ? <Age time={node.newest} /> : "not known"}</td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </Section>
  );
}

function Steps({ lineage: { nodes, edges } }: PartProps) {
  const titles = new Map(nodes.map(({ id, title }) => [id, title]));
  return (
    <Section title="What ran">
      <WideTable
        label="What ran between them, one way a row"
        head={
          <>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">By</th>
            <th scope="col">What went</th>
            <th scope="col">Runs</th>
            <th scope="col">Last</th>
          </>
        }
      >
        <tbody>
          {edges.map((edge) => (
            <tr key={`${edge.from} ${edge.to}`}>
              <th scope="row">{titles.get(edge.from)}</th>
              <td data-label="To">{titles.get(edge.to)}</td>
              <td data-label="By">
                {edge.job === null ? edge.by : <Link href={`/jobs?job=${edge.job}`}>{edge.by}</Link>}
              </td>
              <td data-label="What went" title={edge.count === null ? undefined : formatExact(edge.count)}>
                {edge.count === null ? (
                  "not counted"
                ) : (
                  <>
                    {formatTotal(edge.count)} <small>{edge.of}</small>
                  </>
                )}
              </td>
              <td data-label="Runs">
                {edge.runs === null ? "" : formatTotal(edge.runs)}
                {edge.failed ? `, ${formatTotal(edge.failed)} failed` : null}
              </td>
              <td data-label="Last">
                {edge.lastAt ? <Age time={edge.lastAt} /> : edge.count === 0 ? "never" : "not known"}
              </td>
            </tr>
          ))}
        </tbody>
      </WideTable>
    </Section>
  );
}

function Sent({ sent }: { sent: NonNullable<LineageAnswer["sent"]> }) {
  return (
    <Section title="OpenLineage">
      <p className={classes.sent}>
        {sentWords(sent)}
        {sent.lastSent ? (
          <>
            {" "}
            The last was sent <Age time={sent.lastSent} />.
          </>
        ) : null}
      </p>
    </Section>
  );
}
