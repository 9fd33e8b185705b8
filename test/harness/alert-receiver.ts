/** One request that a receiver of alerts has had. */
export interface ReceivedAlert {
  readonly headers: Headers;
  readonly body: string;
  /** The status that it was answered with. */
  readonly status: number;
}

export interface AlertReceiver {
  readonly url: string;
  readonly received: ReceivedAlert[];
  /** Decides what the next requests are answered with; a promise without end hangs. */
  answer: (request: Request) => Response | Promise<Response>;
  /** Ids of the events that were taken, in the order of arrival. */
  takenIds(): string[];
  stop(): Promise<void>;
}

/** A receiver on loopback. */
export function startAlertReceiver(): AlertReceiver {
  const received: ReceivedAlert[] = [];
  const receiver = { answer: (_: Request): Response | Promise<Response> => new Response("ok") };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = await request.clone().text();
      const answer = await receiver.answer(request);
      received.push({ headers: request.headers, body, status: answer.status });
      return answer;
    },
  });
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${server.port}/hook`,
    received,
    takenIds: () =>
      received.filter(({ status }) => status < 300).map(({ body }) => (JSON.parse(body) as { id: string }).id),
    stop: () => server.stop(true),
  });
}
