import type { SourceDetail } from "@/server/contracts/sources";
import { readable } from "@/server/domain/readable";
import { useNow } from "../ui/clock";
import { Failure } from "../ui/feedback";

/** The time in which a door that was just set up is opened, in milliseconds. */
const OPENS_MS = 30_000;

/** Why nothing can come in by a source's own door; nothing while all is well. */
export function DoorTrouble({ detail: { source, doors } }: { detail: SourceDetail }) {
  const now = useNow(5000);
  if (!source.enabled || source.door.type === "http") return null;
  if (doors.length === 0)
    return now - Date.parse(source.updatedAt) < OPENS_MS ? null : (
      <Failure
        what="Nothing comes in: its door isn’t open"
        why="The process that holds the doors of sources has told nothing for half a minute."
        advice="See Doors of sources on the page Health."
      />
    );
  const { what, trouble, fix } = doors.find((one) => one.trouble !== null) ?? {};
  if (what === undefined || !trouble) return null;
  return (
    <Failure
      what={`Nothing comes in by ${readable(what)}`}
      why={readable(trouble)}
      advice={readable(fix ?? "It is tried again by itself.")}
    />
  );
}
