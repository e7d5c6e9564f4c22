import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { AddressCheck } from "./address-check";

/** Nothing may be sent there. */
export class RefusedAddressError extends Error {
  override readonly name = "RefusedAddressError";
  constructor(host: string, address: string, why: string) {
    super(
      `${host === address ? host : `${host} is ${address}, and`} may not be sent to: ${why}. ALLOW_CHANNEL_ADDRESSES can allow it.`,
    );
  }
}

/** Refuses a host that is an address itself, which nobody looks up. @throws RefusedAddressError */
export function assertAddress(check: AddressCheck, host: string, port: number): void {
  if (isIP(host) === 0) return;
  const why = check(host, port);
  if (why !== null) throw new RefusedAddressError(host, host, why);
}

/** Looks a host up for a connection: what is connected to is one of the addresses that were checked, whatever the name leads to later. */
export function checkedLookup(check: AddressCheck, port: number): LookupFunction {
  return (host, options, done) => {
    lookup(host, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "", 0);
      const refused = addresses.map(({ address }) => ({ address, why: check(address, port) }));
      const bad = refused.find(({ why }) => why !== null);
      // All of them must be good: a name that leads inside and outside is an attack.
      if (bad) return done(new RefusedAddressError(host, bad.address, bad.why!), "", 0);
      if (options.all) return done(null, addresses);
      const [first] = addresses;
      return done(null, first!.address, first!.family);
    });
  };
}
