import { Page } from "@/components/shell/page";
import { Empty } from "@/components/ui/feedback";
import { Link } from "@/components/ui/link";

export default function NotFound() {
  return (
    <Page title="There is no such page">
      <Empty action={<Link href="/">Go to the overview</Link>}>
        The address may be mistyped, or what it named is gone.
      </Empty>
    </Page>
  );
}
