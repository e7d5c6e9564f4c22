import { Empty } from "@/components/ui/feedback";
import { Link } from "@/components/ui/link";

export default function NotFound() {
  return (
    <Empty action={<Link href="/">Go to the overview</Link>}>
      There is no such page. The address may be mistyped, or what it named is gone.
    </Empty>
  );
}
