import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { readConfig } from "../src/config.ts";
import { systemClock } from "../src/core/clock.ts";
import { Secret } from "../src/core/secret.ts";
import { type Listening, listen } from "../src/listen.ts";
import type { TlsPair } from "../src/operate/tls-pair.ts";
import { makeAuthority } from "./harness/certificate.ts";
import { exchange } from "./harness/raw-socket.ts";

const authority = makeAuthority();
const pairFor = (name: string): TlsPair => {
  const { certificate, key } = authority.issue({ names: [name, "127.0.0.1"] });
  return { certificate, key: new Secret(key), keyId: name, expiresAt: Number.MAX_SAFE_INTEGER, covers: () => true };
};

let listening: Listening;
let port: number;
let answer: () => Promise<Response>;

beforeEach(async () => {
  answer = async () => new Response("here");
  const config = readConfig({ data: "/nonexistent" }, {});
  const log = { info: () => {}, error: () => {} };
  const options = { config, clock: systemClock, log, connectionsMax: 100 };
  const serving = { plane: undefined, control: () => answer() };
  listening = await listen(options, { host: "127.0.0.1", port: 0 }, serving, pairFor("first.example"));
  port = Number(new URL(listening.url).port);
});
afterEach(() => listening.close());

const ask = `GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`;
const asked = () => exchange(port, ask, { authority: authority.certificate, quietMs: 2_000 });

/** A connection with its handshake done; what it says is asked with `get`. */
async function handshake(settings: object = {}): Promise<TLSSocket> {
  return new Promise((done, failed) => {
    const socket = connect({ port, host: "127.0.0.1", ca: authority.certificate, ...settings }, () => done(socket));
    socket.once("error", failed);
  });
}

async function nameOf(): Promise<unknown> {
  const socket = await handshake();
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

describe("with a certificate", () => {
  test("says https, and answers whoever takes the authority", async () => {
    expect(listening.url).toBe(`https://127.0.0.1:${port}`);
    expect(await asked()).toEndWith("here");
    await expect(handshake({ ca: undefined })).rejects.toThrow(/certificate/);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("speaks %s", async (version) => {
    const socket = await handshake({ minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
  });

  test.each(["TLSv1", "TLSv1.1"] as const)("does not speak %s", async (version) => {
    await expect(handshake({ minVersion: "TLSv1", maxVersion: version, ciphers: "ALL:@SECLEVEL=0" })).rejects.toThrow();
  });

  test("answers nothing to a client that speaks in clear", async () => {
    expect(await exchange(port, ask)).toBe("");
  });

  test("answers while many clients do not get on with their handshake", async () => {
    const begun = Buffer.from([0x16, 3, 1, 0, 200, 1]);
    const slow = Array.from({ length: 150 }, () => {
      const socket = connectTcp(port, "127.0.0.1", () => socket.write(begun));
      socket.on("error", () => {});
      return socket;
    });
    expect(await asked()).toEndWith("here");
    for (const socket of slow) socket.destroy();
  });
});

describe("a renewed certificate", () => {
  test("is what new connections get, on the same port, again and again", async () => {
    expect(await nameOf()).toBe("first.example");
    for (const name of ["second.example", "third.example"]) {
      await listening.renew(pairFor(name));
      expect(await nameOf()).toBe(name);
      expect(await asked()).toEndWith("here");
    }
  });

  test("lets a call end that is under way", async () => {
    const [started, finished] = [Promise.withResolvers<void>(), Promise.withResolvers<Response>()];
    answer = () => {
      started.resolve();
      return finished.promise;
    };
    const underWay = asked();
    await started.promise;
    await listening.renew(pairFor("second.example"));
    finished.resolve(new Response("late"));
    expect(await underWay).toEndWith("late");
  });
});
