import type { Environment } from "../../config.ts";
import type { RemoteSetting } from "../../config-remote.ts";
import type { OpenControl } from "../cli.ts";
import { remoteAddress } from "./address.ts";
import { createRemoteControl } from "./control.ts";
import { RemoteClient } from "./request.ts";

/** The control plane of the server that the environment names. Nothing is sent yet. */
export function openRemoteControl(remote: RemoteSetting, environment: Environment): OpenControl {
  const client = new RemoteClient(remoteAddress(remote, environment));
  return { control: createRemoteControl(client), place: `server ${client.base}`, close: async () => {} };
}
