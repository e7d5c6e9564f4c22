"use client";
import { Button } from "@mantine/core";
import type { SourceMappingView } from "@/server/contracts/sources";
import { readable } from "@/server/domain/readable";
import { Age } from "../ui/age";
import { Section } from "../ui/section";
import classes from "./mapping.module.css";
import { mappingText } from "./mapping-text";

interface VersionsProps {
  /** Newest first. */
  versions: readonly SourceMappingView[];
  /** What is in the editor. */
  shown: string;
  /** Puts a version into the editor; null where nobody may. */
  onTake: ((version: SourceMappingView) => void) | null;
}

/** Who changed the mapping, when and why; an earlier version can be taken back. */
export function Versions({ versions, shown, onTake }: VersionsProps) {
  return (
    <Section title="Versions">
      <ol className={classes.versions}>
        {versions.map((version, i) => (
          <li key={version.version}>
            <b>Version {version.version}</b>
            <span>
              <Age time={version.createdAt} /> <small>by {readable(version.madeBy)}</small>
              {version.note === null ? null : <small>: {readable(version.note)}</small>}
            </span>
            {i === 0 ? <small>in use</small> : null}
            {onTake && i > 0 && mappingText(version.mapping) !== shown ? (
              <Button
                size="compact-xs"
                variant="default"
                aria-label={`Put version ${version.version} into the editor`}
                onClick={() => onTake(version)}
              >
                Take it back
              </Button>
            ) : null}
          </li>
        ))}
      </ol>
    </Section>
  );
}
