"use client";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useMay } from "../queries/access";
import { RequestError } from "../queries/request";
import { mappingsQuery, samplesQuery, sourceQuery } from "../queries/sources";
import { MayNot } from "../shell/may-not";
import { NotYet } from "../shell/not-yet";
import { Page } from "../shell/page";
import { Empty, StaleNotice } from "../ui/feedback";
import { Link } from "../ui/link";
import { MappingEditor } from "./mapping-editor";

/** How a source's payloads are read, with the last of them, and the mapping to be changed. */
export function MappingPage({ name }: { name: string }) {
  const source = useQuery(sourceQuery(name));
  // Who may not change how it is read isn't told by trying, either.
  const mayEdit = useMay("edit", source.data?.source.site ?? null);
  const samples = useQuery({ ...samplesQuery(name), enabled: mayEdit });
  const versions = useQuery(mappingsQuery(name));
  const error = source.error ?? (mayEdit ? samples.error : null) ?? versions.error;
  const retry = () => {
    void source.refetch();
    void versions.refetch();
    if (mayEdit) void samples.refetch();
  };
  const within = (children: ReactNode) => (
    <Page
      tab={`Mapping of ${name}`}
      title={
        <>
          <Link href="/sources">Sources</Link>
          <span aria-hidden="true">/</span>
          <Link href={`/sources/${name}`}>{name}</Link>
          <span aria-hidden="true">/</span>
          Mapping
        </>
      }
    >
      {children}
    </Page>
  );
  if (source.error instanceof RequestError && source.error.status === 404)
    return within(
      <Empty action={<Link href="/sources">See all sources</Link>}>There is no source named {name}.</Empty>,
    );
  if (source.data && !mayEdit)
    return within(<MayNot what="Trying a mapping" permission="edit" site={source.data.source.site} />);
  if (!source.data || !samples.data || !versions.data)
    return within(
      <NotYet
        what={`how ${name} is read`}
        error={error}
        onRetry={retry}
        isRetrying={source.isFetching || samples.isFetching || versions.isFetching}
        rows={12}
        height={24}
      />,
    );
  return within(
    <>
      {error ? <StaleNotice onRetry={retry}>This may be out of date: {error.message}</StaleNotice> : null}
      <MappingEditor
        detail={source.data}
        samples={samples.data}
        versions={versions.data}
        mayEdit={!source.data.source.isBuiltIn}
      />
    </>,
  );
}
