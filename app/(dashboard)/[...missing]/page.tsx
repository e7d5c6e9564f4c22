import { notFound } from "next/navigation";

/** Any address that no page has: the dashboard around it says so, and leads on. */
export default function Missing() {
  notFound();
}
