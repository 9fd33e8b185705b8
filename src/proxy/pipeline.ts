import { Problem } from "../core/problem.ts";
import { causeText } from "../log.ts";
import { answer } from "./answer.ts";
import { authenticate } from "./authenticate.ts";
import type { DataPlane } from "./data-plane.ts";
import { decide } from "./decide.ts";
import { forward } from "./forward.ts";
import { type AdmittedCall, hold } from "./hold.ts";
import { identify } from "./identify.ts";
import type { RingKeys } from "./key-ring.ts";
import { lookUp } from "./look-up.ts";
import { type IncomingCall, type ParsedRequest, parse } from "./parse.ts";
import { type Denial, type Outgoing, refuse } from "./refusal.ts";
import { reportSent, reportStranger, reportUnsent } from "./report.ts";
import { endingOf, settle } from "./settle.ts";
import { swap } from "./swap.ts";

/**
 * The path of one call, from its bytes to its answer. Every call with a known key leaves exactly one audit row: `hold`
 * writes it before anything is sent, and `send` finishes it on whatever way the call ends.
 */
export async function handleCall(
  plane: DataPlane,
  incoming: IncomingCall,
  vendorNames: ReadonlySet<string>,
): Promise<Outgoing> {
  const request = parse(incoming, vendorNames);
  try {
    return await pass(plane, request);
  } catch (cause) {
    // The store could not be read: nothing is held, and nothing was sent.
    if (!(cause instanceof Problem) || cause.code !== "unavailable") throw cause;
    plane.log.error("store_unread", { call: incoming.id, cause: causeText(cause) });
    reportStranger(plane, request, STORE_UNREAD.code);
    return refuse(plane, request, STORE_UNREAD);
  }
}

const STORE_UNREAD: Denial = {
  code: "store_unavailable",
  rule: "store",
  message: "The call could not be judged, because the store cannot be read; it was not forwarded. Retry later.",
  details: {},
};

async function pass(plane: DataPlane, request: ParsedRequest): Promise<Outgoing> {
  const caller = await authenticate(plane, request);
  if (!caller.known) {
    plane.unknownKeyCalls += 1;
    reportStranger(plane, request, caller.code);
    return refuse(plane, request, { code: caller.code, rule: "key", message: caller.message, details: {} });
  }
  for (let keys: RingKeys | undefined = caller.keys; keys; keys = await refresh(plane, caller.tokenHash)) {
    const identified = identify(plane, request, keys);
    const { key } = identified;
    const decided = decide(plane, key, identified);
    let leave = decided.ok ? plane.inFlight.enter(key.id) : undefined;
    try {
      const judged = decided.ok === "unpriced" ? await lookUp(plane, key, decided) : decided;
      const held = await hold(plane, key, identified, judged);
      if (held.state === "stale") continue;
      if (held.state !== "held") reportUnsent(plane, request, held, judged);
      if (held.state === "replayed") return held.outgoing;
      if (held.state === "refused") return refuse(plane, request, held.denial, key);
      const outgoing = await send(plane, request, held.admitted);
      if (!leave) return outgoing;
      const done = leave;
      leave = undefined;
      return { ...outgoing, done };
    } finally {
      leave?.();
    }
  }
  reportStranger(plane, request, "key_unknown");
  return refuse(plane, request, {
    code: "key_unknown",
    rule: "key",
    message: "This vault key is not known.",
    details: {},
  });
}

/** Sends an admitted call and answers it; its hold is resolved and its row finished on whatever way this ends. */
async function send(plane: DataPlane, request: ParsedRequest, admitted: AdmittedCall): Promise<Outgoing> {
  let ending = endingOf(admitted, { kind: "not_sent", cause: "internal" });
  let outgoing: Outgoing | undefined;
  try {
    const upstream = swap(admitted);
    ending = endingOf(admitted, { kind: "unknown", why: "broken", upstreamMs: 0, status: null });
    ending = endingOf(admitted, await forward(plane, admitted, upstream));
    outgoing = answer(plane, request, admitted, upstream, ending);
    return outgoing;
  } finally {
    settle(plane, admitted, ending, outgoing);
    reportSent(plane, request, admitted, ending);
  }
}

/** The key as it is now, after the ledger has found what was known of it, or of its vendor, to be out of date. */
async function refresh(plane: DataPlane, tokenHash: Uint8Array): Promise<RingKeys | undefined> {
  await plane.vendors.reload();
  return plane.keys.reload(tokenHash);
}
