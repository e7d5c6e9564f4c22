"use client";
import { queryOptions, useQuery } from "@tanstack/react-query";
import type {
  KeysAnswer,
  KeyView,
  MadeKey,
  Me,
  SessionView,
  SignInSettings,
  User,
  UserGrant,
  UserLink,
  WaysIn,
} from "@/server/contracts/access";
import type { KeyKind, Permission, Role } from "@/server/domain/access";
import { toSegment } from "@/server/domain/segment";
import { deleteJson, patchJson, postJson, queryString, readJson } from "./request";

/** The first part of the keys of all that administrators change. */
export const ACCESS = "access";

/** Who is signed in, and what they may do. Another role ends the session, so it is asked for once, and when another tab may have signed somebody else in. */
export const meQuery = () =>
  queryOptions({
    queryKey: ["me"],
    queryFn: ({ signal }) => readJson<Me>("/api/v1/me", signal),
    staleTime: Infinity,
    gcTime: Infinity,
    refetchOnWindowFocus: "always",
    refetchInterval: ({ state }) => (state.data ? false : 5000),
  });

/** Who is signed in, for where no query is kept. @throws RequestError: 401 for nobody. */
export function readMe(): Promise<Me> {
  return readJson("/api/v1/me", new AbortController().signal);
}

/**
 * True if who is signed in holds this permission; false while that isn't known: what can't be done isn't offered.
 * @param site where it is to be held: null for what is at no site, which takes it at all; left out: at some site at least.
 */
export function useMay(permission: Permission, site?: string | null): boolean {
  const { data } = useQuery(meQuery());
  return data !== undefined && mayAt(data, permission, site);
}

/** As {@link useMay}, where a device is; null: what came can't be told to be of one. */
export function useMayAtDevice(permission: Permission, device: string | null): boolean {
  const { data: me } = useQuery(meQuery());
  const somewhere = me !== undefined && mayAt(me, permission);
  const everywhere = me !== undefined && mayAt(me, permission, null);
  const { data: site } = useQuery({
    queryKey: ["site of", device],
    queryFn: async ({ signal }) =>
      (await readJson<{ site: string | null }>(`/api/v1/devices/${toSegment(device!)}`, signal)).site,
    enabled: somewhere && !everywhere && device !== null,
    staleTime: 60_000,
  });
  return everywhere || (somewhere && site !== undefined && mayAt(me, permission, site));
}

function mayAt({ permissions, everywhere, sites }: Me, permission: Permission, site?: string | null): boolean {
  if (site === undefined) return permissions.includes(permission);
  return everywhere.includes(permission) || sites.some((at) => at.site === site && at.permissions.includes(permission));
}

/** True if who is signed in holds this permission at all sites, as what isn't of one site takes. */
export function useMayEverywhere(permission: Permission): boolean {
  const { data } = useQuery(meQuery());
  return data?.everywhere.includes(permission) ?? false;
}

/**
 * Whether who is signed in sees all sites, as what isn't of one site takes; null until that is known. Where nobody tells, it is tried: then
 * the pages say what is wrong.
 */
export function useSeesAll(): boolean | null {
  const { data, error } = useQuery(meQuery());
  return data ? data.everywhere.includes("view") : error ? true : null;
}

/** Where the caller is signed in. */
export const sessionsQuery = () =>
  queryOptions({
    queryKey: ["my sessions"],
    queryFn: async ({ signal }) => (await readJson<{ items: SessionView[] }>("/api/v1/me/sessions", signal)).items,
    refetchInterval: 15_000,
  });

/** Everyone who may come in. */
export const usersQuery = () =>
  queryOptions({
    queryKey: [ACCESS, "users"],
    queryFn: async ({ signal }) => (await readJson<{ items: User[] }>("/api/v1/users", signal)).items,
    refetchInterval: 15_000,
  });

/** Every key, newest first. */
export const keysQuery = () =>
  queryOptions({
    queryKey: [ACCESS, "keys"],
    queryFn: ({ signal }) => readJson<KeysAnswer>("/api/v1/keys", signal),
    refetchInterval: 15_000,
  });

/** @throws RequestError: 401 when the link is used, too old or unknown. */
export function signInByLink(secret: string): Promise<Me> {
  return postJson("/api/v1/sign-in/link", { secret });
}

/** @throws RequestError: 401 when one of both is wrong; 429 after too many wrong guesses, with the seconds to wait. */
export function signIn(email: string, password: string): Promise<Me> {
  return postJson("/api/v1/sign-in", { email, password });
}

/** @returns where to go next, to sign out of the identity provider too; null for nowhere. @throws RequestError */
export async function signOut(): Promise<string | null> {
  return (await postJson<{ next: string | null }>("/api/v1/sign-out", {})).next;
}

/** How people can sign in, for where no query is kept. @throws RequestError */
export function readWaysIn(): Promise<WaysIn> {
  return readJson("/api/v1/sign-in", new AbortController().signal);
}

/** How people can sign in. */
export const waysInQuery = () => queryOptions({ queryKey: ["ways in"], queryFn: readWaysIn, staleTime: 10_000 });

/** How people sign in, as it is set, and whether the identity provider answers. */
export const signInSettingsQuery = () =>
  queryOptions({
    queryKey: [ACCESS, "sign-in settings"],
    queryFn: ({ signal }) => readJson<SignInSettings>("/api/v1/sign-in/settings", signal),
    refetchInterval: 15_000,
  });

/** Where signing in at the identity provider begins. @param prove has it ask anew who it is. */
export function providerAddress(to: string, prove = false): string {
  return `/api/v1/sign-in/oidc${queryString({ to, prove: prove ? "true" : undefined })}`;
}

/** Sets what to sign in with; the caller's other sessions end. @throws RequestError: 409 when another has that e-mail address. */
export function setPassword(email: string, password: string): Promise<Me> {
  return postJson("/api/v1/me/password", { email, password });
}

/** Ends one of the caller's sessions, or all. @throws RequestError */
export async function endSession(id: string | "all"): Promise<void> {
  await deleteJson(`/api/v1/me/sessions/${encodeURIComponent(id)}`);
}

/** @throws RequestError: 409 when another has that e-mail address. */
export function addUser(user: { name: string; email: string | null; grants: readonly UserGrant[] }): Promise<UserLink> {
  return postJson("/api/v1/users", user);
}

/** What to change of a person; what is left out stays. */
export type UserChanges = Partial<{
  name: string;
  email: string | null;
  grants: readonly UserGrant[];
  disabled: boolean;
}>;

/** @throws RequestError: 409 when nobody would be left who can let others in, or another has that e-mail address. */
export function changeUser(id: number, changes: UserChanges): Promise<User> {
  return patchJson(`/api/v1/users/${id}`, changes);
}

/** Removes a person, and erases from the audit record who that was. @throws RequestError: 409 for oneself. */
export async function removeUser(id: number): Promise<void> {
  await deleteJson(`/api/v1/users/${id}`);
}

/** Makes a link that signs a person in once; an earlier one ends. @throws RequestError */
export function makeUserLink(id: number): Promise<UserLink> {
  return postJson(`/api/v1/users/${id}/link`, {});
}

/** A key that is to be made; `days` until it expires, null for never. */
export interface WantedKey {
  readonly kind: KeyKind;
  readonly name: string;
  readonly role: Role | null;
  readonly device: string | null;
  /** Null: all. */
  readonly site: string | null;
  /** Adds the site; otherwise one that isn't there is refused. */
  readonly newSite: boolean;
  readonly networks: readonly string[];
  readonly days: number | null;
}

/** @throws RequestError: 400 with what of it isn't right. */
export function makeKey(wanted: WantedKey): Promise<MadeKey> {
  return postJson("/api/v1/keys", wanted);
}

/** Makes a key like this one, to take its place. @throws RequestError: 409 when it is revoked. */
export function rotateKey(id: string): Promise<MadeKey> {
  return postJson(`/api/v1/keys/${encodeURIComponent(id)}/rotate`, {});
}

/** @throws RequestError */
export function revokeKey(id: string): Promise<KeyView> {
  return deleteJson(`/api/v1/keys/${encodeURIComponent(id)}`);
}
