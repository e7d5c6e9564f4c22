import { Autocomplete } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { sitesQuery } from "../queries/device";

interface SiteFieldProps {
  value: string;
  onChange: (site: string) => void;
  /** What is wrong with it; null: nothing. */
  error: string | null;
}

/** The site of a source: one whose devices alone it may send for, or none. */
export function SiteField({ value, onChange, error }: SiteFieldProps) {
  const { data: sites = [] } = useQuery(sitesQuery());
  return (
    <Autocomplete
      label="Site"
      placeholder="any; or one, whose devices it sends for"
      data={[...sites]}
      value={value}
      onChange={onChange}
      error={error}
      maxLength={128}
      autoComplete="off"
    />
  );
}
