import { afterEach, beforeEach, expect, test } from "bun:test";
import { concerns } from "../../src/core/hard-stop.ts";
import { type Installed, install, problemOf } from "./installed.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

test("engages on a vendor, a label prefix, both, or everything, and shows what is engaged", async () => {
  const { control } = installed;
  await control.engageBrake({ vendor: "stripe", reason: "runaway" });
  await control.engageBrake({ label_prefix: "tenant:acme:" });
  await control.engageBrake({ vendor: "twilio", label_prefix: "sms/" });
  await control.engageBrake({});
  const shown = (await control.listBrakes()).map(({ vendor, label_prefix, reason }) => [vendor, label_prefix, reason]);
  expect(shown).toEqual(
    expect.arrayContaining([
      ["stripe", null, "runaway"],
      [null, "tenant:acme:", null],
      ["twilio", "sms/", null],
      [null, null, null],
    ]),
  );
  expect(shown).toHaveLength(4);
});

test("engaging the same again leaves one brake", async () => {
  const first = await installed.control.engageBrake({ vendor: "stripe" });
  installed.clock.nowMs += 1000;
  expect(await installed.control.engageBrake({ vendor: "stripe" })).toEqual(first);
  expect(await installed.control.listBrakes()).toHaveLength(1);
});

test("releases exactly the brake that is named, and says so where none is", async () => {
  const { control } = installed;
  await control.engageBrake({ vendor: "stripe", label_prefix: "a/" });
  const problem = await problemOf(() => control.releaseBrake({ vendor: "stripe" }));
  expect(problem.code).toBe("not_found");
  expect(problem.message).toContain('engaged: stripe with label prefix "a/"');
  expect(await control.releaseBrake({ vendor: "stripe", label_prefix: "a/" })).toHaveLength(1);
  expect(await control.releaseBrake({})).toEqual([]);
});

test("refuses a vendor that there is not, and an empty prefix, which would be everything", async () => {
  for (const request of [{ vendor: "strip" }, { label_prefix: "" }, { reason: "a\u0007" }]) {
    expect((await problemOf(() => installed.control.engageBrake(request))).code).toBe("invalid");
  }
  expect(await installed.control.listBrakes()).toEqual([]);
});

test("a hard one stops the calls that it concerns, also where the brake was engaged before", async () => {
  await installed.control.engageBrake({ vendor: "stripe", label_prefix: "a/" });
  expect(installed.hardStops).toEqual([]);
  await installed.control.engageBrake({ vendor: "stripe", label_prefix: "a/", hard: true });
  const [stop] = installed.hardStops;
  const call = (vendor: string, label: string | null) => concerns(stop!, { keyId: "vk_1", vendor, label });
  expect([call("stripe", "a/1"), call("twilio", "a/1"), call("stripe", "b/1"), call("stripe", null)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

test("a hard one on everything stops every call", async () => {
  await installed.control.engageBrake({ hard: true });
  expect(concerns(installed.hardStops[0]!, { keyId: "vk_1", vendor: "resend", label: null })).toBe(true);
});

test("a hard one is left in the store for the servers of other processes", async () => {
  await installed.control.engageBrake({ vendor: "stripe", hard: true });
  const scope = { vendor: "stripe", label: null, labelPrefix: null };
  expect(await installed.store.hardStopsSince(0)).toMatchObject([{ keyIds: [], scope }]);
});
