/** The least that a proxy on this runtime can do: Bun.serve, fetch, one header swapped. No policy, no ledger, no audit. */
const [port, upstream] = process.argv.slice(2);

Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port),
  async fetch(request) {
    const body = await request.arrayBuffer();
    const answer = await fetch(upstream + new URL(request.url).pathname, {
      method: request.method,
      headers: {
        authorization: "Bearer sk_test_bench_secret",
        "content-type": request.headers.get("content-type") ?? "",
      },
      body,
      redirect: "manual",
    });
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers: answer.headers });
  },
});
