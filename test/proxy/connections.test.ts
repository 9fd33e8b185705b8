import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { Connections } from "../../src/proxy/connections.ts";

/** As much of a socket as is looked at. */
class FakeSocket extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function open(connections: Connections, count: number): FakeSocket[] {
  return Array.from({ length: count }, () => {
    const socket = new FakeSocket();
    connections.opened(socket);
    return socket;
  });
}

const closed = (sockets: readonly FakeSocket[]) => sockets.map(({ destroyed }) => destroyed);

test("closes the connection that has waited longest for its client when there are too many", () => {
  const connections = new Connections(3);
  const sockets = open(connections, 5);
  expect(closed(sockets)).toEqual([true, true, false, false, false]);
});

test("never closes one whose request is being served, however old it is", () => {
  const connections = new Connections(2);
  const [oldest] = open(connections, 1);
  connections.served(oldest!);
  const others = open(connections, 4);
  expect(oldest!.destroyed).toBe(false);
  expect(closed(others)).toEqual([true, true, true, false]);
});

test("counts an answered one as waiting from its answer on", () => {
  const connections = new Connections(2);
  const [first, second] = open(connections, 2);
  connections.served(first!);
  connections.answered(first!);
  open(connections, 1);
  expect(closed([first!, second!])).toEqual([false, true]);
});

test("refuses the newest where all others are being served", () => {
  const connections = new Connections(2);
  const served = open(connections, 2);
  for (const socket of served) connections.served(socket);
  const [newest] = open(connections, 1);
  expect([...closed(served), newest!.destroyed]).toEqual([false, false, true]);
});

test("has room again for each one that goes by itself", () => {
  const connections = new Connections(2);
  const [first] = open(connections, 2);
  first!.destroy();
  expect(closed(open(connections, 1))).toEqual([false]);
  connections.answered(first!);
  expect(closed(open(connections, 2))).toEqual([false, false]);
});
