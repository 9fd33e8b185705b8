import type { SessionView } from "../operate/sessions.ts";
import { Cell } from "./cell.ts";
import { ApiError, ask, whenSignedOut } from "./client.ts";
import { startStream, stopStream } from "./stream.ts";
import { say } from "./toasts.ts";

export type Role = SessionView["role"];

/** Whether somebody is signed in: unknown until the API has been asked. */
export const session = new Cell<SessionView | "unknown" | undefined>("unknown");
/** Why the session ended, where it ended by itself. */
export const endedBecause = new Cell<string | undefined>(undefined);

whenSignedOut((why) => {
  if (typeof session.value === "object") leave(why);
});

/** Takes up the session of the browser's cookie, where there is one. */
export async function resume(): Promise<void> {
  try {
    enter(await ask<SessionView>("GET", "/session"));
  } catch {
    session.set(undefined);
  }
}

/**
 * Hands the token over for a session; the page keeps nothing of it.
 * @throws ApiError where the token is none that the API knows.
 */
export async function signIn(token: string): Promise<void> {
  enter(await ask<SessionView>("POST", "/session", { body: { token } }));
}

/** Ends the session, here and at the server. */
export async function signOut(): Promise<void> {
  try {
    await ask("DELETE", "/session");
    leave(undefined);
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) leave(undefined);
    else say(`You are still signed in: ${(error as Error).message}`);
  }
}

function enter(who: SessionView): void {
  endedBecause.set(undefined);
  session.set(who);
  if (mayRead(who.role)) startStream();
}

function leave(why: string | undefined): void {
  stopStream();
  endedBecause.set(why);
  session.set(undefined);
}

/** Whether the role looks at everybody's calls. */
export function mayRead(role: Role): boolean {
  return role !== "issuer";
}

/** Whether the role issues and revokes keys. */
export function mayIssue(role: Role): boolean {
  return role !== "auditor";
}

/** Whether the role changes what concerns everybody. */
export function mayOperate(role: Role): boolean {
  return role === "admin";
}
