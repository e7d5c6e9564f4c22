"use client";
import { TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { sitesQuery } from "../../queries/device";
import classes from "../rules.module.css";
import type { FieldsProps } from "./parts";

/** Which devices a rule is about. */
export function Selection({ draft, faultAt, change }: FieldsProps) {
  const { data: sites } = useQuery(sitesQuery());
  return (
    <div className={classes.pair}>
      <Tags
        label="at sites"
        all="all sites"
        value={draft.sites}
        data={sites ?? []}
        error={faultAt("sites")}
        onChange={(value) => change({ sites: value })}
      />
      <Tags
        label="of types"
        all="all types"
        value={draft.types}
        error={faultAt("types")}
        onChange={(value) => change({ types: value })}
      />
      <Tags
        label="devices"
        all="all, or press-*"
        value={draft.devices}
        error={faultAt("devices")}
        onChange={(value) => change({ devices: value })}
      />
      <Tags
        label="without"
        all="none"
        value={draft.without}
        error={faultAt("without")}
        onChange={(value) => change({ without: value })}
      />
      <Tags
        label="with labels"
        all="line:4"
        value={draft.labels}
        error={faultAt("labels")}
        onChange={(value) => change({ labels: value })}
      />
    </div>
  );
}

interface TagsProps {
  label: string;
  all: string;
  value: readonly string[];
  data?: readonly string[];
  error: string | undefined;
  onChange: (value: string[]) => void;
}

function Tags({ label, all, value, data = [], error, onChange }: TagsProps) {
  return (
    <TagsInput
      label={label}
      placeholder={value.length === 0 ? all : ""}
      value={[...value]}
      data={[...data]}
      error={error}
      acceptValueOnBlur
      onChange={onChange}
    />
  );
}
