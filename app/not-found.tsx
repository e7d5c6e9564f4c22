import { Standalone } from "@/components/shell/standalone";
import { Link } from "@/components/ui/link";

export default function NotFound() {
  return (
    <Standalone title="There is no such page">
      <p>The address may be mistyped, or what it named is gone.</p>
      <p>
        <Link href="/">Go to the overview</Link>
      </p>
    </Standalone>
  );
}
