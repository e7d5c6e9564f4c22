import { formatBytes } from "../ui/format";

/** A number of bytes, its unit smaller after it. */
export function Bytes({ bytes }: { bytes: number }) {
  const [figure, unit] = formatBytes(bytes).split(" ");
  return (
    <>
      {figure} <small>{unit}</small>
    </>
  );
}
