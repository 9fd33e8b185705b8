/** The vendor of the benchmark: answers every request with the same PaymentIntent, as fast as a socket allows. */
const BODY = JSON.stringify({
  id: "pi_3bench",
  object: "payment_intent",
  amount: 2000,
  amount_received: 2000,
  currency: "usd",
  customer: "cus_9bench",
  latest_charge: "ch_3bench",
  metadata: { order_id: "ord_1" },
  status: "succeeded",
});
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_bench\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/**
 * Listens in this process.
 * @param onRequest gets each request, head and body, before it is answered.
 */
export function listenAsVendor(port: number, onRequest: (text: string) => void = () => {}) {
  // Every client here sends a request in one piece with its length; the end of the head and that length are all there is to it.
  return Bun.listen<{ rest: string }>({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        socket.data = { rest: "" };
      },
      data(socket, chunk) {
        let text = socket.data.rest + chunk.toString("latin1");
        let answers = "";
        for (;;) {
          const end = text.indexOf("\r\n\r\n");
          if (end === -1) break;
          const length = /content-length: *(\d+)/i.exec(text.slice(0, end));
          const whole = end + 4 + Number(length?.[1] ?? 0);
          if (text.length < whole) break;
          onRequest(text.slice(0, whole));
          text = text.slice(whole);
          answers += ANSWER;
        }
        socket.data.rest = text;
        if (answers !== "") socket.write(answers);
      },
    },
  });
}

if (import.meta.main) listenAsVendor(Number(process.argv[2]));
