/** The names that a site or type had before, and what they still do. */
export function OtherNames({
  of: { name, others },
}: {
  of: { readonly name: string; readonly others: readonly string[] };
}) {
  return (
    <p>
      {others.length === 0 ? null : `Also found as ${others.join(", ")}. `}
      Messages, addresses and views that say a name it had mean the same one: renaming {name} back undoes it.
    </p>
  );
}
