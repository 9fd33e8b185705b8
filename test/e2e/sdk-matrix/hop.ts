/** What one attempt was, as it passed the hop. */
export interface Attempt {
  readonly method: string;
  readonly path: string;
  /** Of the answer that came back. */
  readonly status: number;
  readonly authorization: string | undefined;
}

/** A hop before a server that writes down what really arrives there: an SDK's own word for its retries is not enough. */
export interface Hop {
  readonly url: string;
  readonly attempts: readonly Attempt[];
  stop(): Promise<void>;
}

/** Passes each request on to `target` as it is, and its answer back. */
export function startHop(target: string): Hop {
  const attempts: Attempt[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("host");
      const { method } = request;
      const body = method === "GET" || method === "HEAD" ? undefined : await request.bytes();
      const init = { method, headers, redirect: "manual", decompress: false } as const;
      const answer = await fetch(`${target}${pathname}${search}`, body === undefined ? init : { ...init, body });
      attempts.push({
        method,
        path: pathname,
        status: answer.status,
        authorization: headers.get("authorization") ?? undefined,
      });
      return answer;
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, attempts, stop: () => server.stop(true) };
}
