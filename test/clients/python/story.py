"""What the page of the Python package does not show. Needs KEYBRAKE_URL and KEYBRAKE_API_KEY."""

import asyncio
import http.server
import inspect
import pickle
import threading
import typing
import unittest

import keybrake
import stripe

SENTENCE = (
    "Keybrake: The cap daily_usd_cap is reached: $10.00 of $10.00 is used and this call may cost $2.50. "
    "It resets at 2026-01-02T00:00:00.000Z. Do not retry."
)
FIELDS = {"template": "billing", "label": "story/1"}


class Failing(keybrake.Keybrake):
    def revoke(self, key, reason=None):
        raise keybrake.ApiError(500, "internal", "no revoke today")


class Recording(keybrake.Keybrake):
    def __init__(self):
        super().__init__()
        self.issued, self.revoked = [], []

    def issue(self, **fields):
        self.issued.append(super().issue(**fields))
        return self.issued[-1]

    def revoke(self, key, reason=None):
        super().revoke(key, reason)
        self.revoked.append((key.id, reason))


class Story(unittest.TestCase):
    def test_a_body_that_raises_has_its_key_revoked_and_its_exception_raised(self):
        client = Recording()
        with self.assertRaisesRegex(ZeroDivisionError, "its own"):
            with keybrake.vault_key(client, **FIELDS) as key:
                raise ZeroDivisionError("its own")
        self.assertEqual(client.revoked, [(key.id, "the run ended with ZeroDivisionError")])

    def test_a_failing_revoke_hides_neither_exception_nor_result(self):
        client = Failing()
        with self.assertLogs("keybrake", "ERROR") as logs:
            with self.assertRaises(ZeroDivisionError):
                with keybrake.vault_key(client, **FIELDS):
                    raise ZeroDivisionError
            self.assertEqual(keybrake.with_vault_key(client, **FIELDS)(lambda key: 42)(), 42)
        self.assertEqual(len(logs.output), 2)
        self.assertIn("no revoke today", logs.output[0])

    def test_a_cancelled_task_has_its_key_revoked(self):
        client = Recording()

        async def run(entered):
            async with keybrake.vault_key(client, **FIELDS):
                entered.set()
                await asyncio.Event().wait()

        async def cancel(when_entered):
            entered = asyncio.Event()
            task = asyncio.create_task(run(entered))
            await (entered.wait() if when_entered else asyncio.sleep(0))
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(cancel(True))
        asyncio.run(cancel(False))
        self.assertEqual(len(client.issued), len(client.revoked))
        self.assertGreaterEqual(len(client.revoked), 1)

    def test_a_refusal_has_code_message_and_hint(self):
        with self.assertRaises(keybrake.ApiError) as caught:
            keybrake.Keybrake().issue(template="biling")
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((again.status, again.code), (422, "invalid"))
        self.assertIn("biling", again.message)

    def test_an_address_that_would_give_the_token_away_is_refused(self):
        for url in ["keybrake.example", "http://keybrake.example", "https://a@keybrake.example", "http://[::1"]:
            with self.assertRaises(keybrake.Misconfigured):
                keybrake.Keybrake(url)

    def test_a_redirect_is_not_followed(self):
        seen = []

        class Redirects(http.server.BaseHTTPRequestHandler):
            def do_DELETE(self):
                seen.append(self.path)
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            do_GET = do_DELETE

            def log_message(self, *_args):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Redirects)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with self.assertRaises(keybrake.ApiError) as caught:
            keybrake.Keybrake(f"http://127.0.0.1:{server.server_port}").revoke("vk_1")
        server.shutdown()
        server.server_close()
        self.assertEqual((caught.exception.status, seen), (302, ["/vault/keys/vk_1"]))

    def test_a_key_survives_pickle_and_shows_no_secret(self):
        with keybrake.vault_key(**FIELDS) as key:
            again = pickle.loads(pickle.dumps(key))
        self.assertEqual(again.token, key.token)
        self.assertNotIn(key.token, f"{key} {key!r}")
        with self.assertRaises(TypeError):  # what orchestrators store of a parameter
            vars(key)
        with self.assertRaises(keybrake.Misconfigured):
            key.twilio()

    def test_a_run_is_revoked_by_its_label_where_its_key_is_not_at_hand(self):
        client = keybrake.Keybrake()
        key = client.issue(**FIELDS)
        client.revoke_run("story/none", "no such run")
        client.revoke_run("story/1", "cancelled")
        with self.assertRaises(stripe.AuthenticationError) as caught:
            key.stripe().v1.customers.retrieve("cus_1")
        self.assertIn("cancelled", str(caught.exception))

    def test_a_decorated_function_shows_its_own_arguments_only(self):
        @keybrake.with_vault_key(**FIELDS)
        async def charge(key: keybrake.VaultKey, order: str) -> str:
            return order

        self.assertEqual(list(inspect.signature(charge).parameters), ["order"])
        self.assertEqual(set(typing.get_type_hints(charge)), {"order", "return"})
        self.assertTrue(inspect.iscoroutinefunction(charge))
        self.assertEqual(asyncio.run(charge("ord_1")), "ord_1")

    def test_a_run_is_for_one_block(self):
        run = keybrake.vault_key(**FIELDS)
        with run, self.assertRaises(RuntimeError):
            run.__enter__()

    def test_what_is_guarded_by_cap_hits_can_be_pickled_and_may_be_a_coroutine(self):
        def refused():
            raise stripe.RateLimitError(SENTENCE, headers={"X-Keybrake-Cap-Hit": "true"})

        async def refused_later():
            refused()

        guard = pickle.loads(pickle.dumps(keybrake.cap_hits()))
        for call in (guard(refused), lambda: asyncio.run(guard(refused_later)())):
            with self.assertRaises(keybrake.CapHit) as caught:
                call()
            self.assertEqual(caught.exception.budget, "daily_usd_cap")
            self.assertIsInstance(caught.exception.__cause__, stripe.RateLimitError)
        with self.assertRaises(ZeroDivisionError):
            guard(lambda: 1 / 0)()

    def test_a_cap_hit_keeps_its_numbers_through_pickle(self):
        error = Exception(SENTENCE)
        error.headers = {"X-Keybrake-Cap-Hit": "true"}
        hit = pickle.loads(pickle.dumps(keybrake.as_cap_hit(error)))
        self.assertEqual((hit.budget, hit.reset_at), ("daily_usd_cap", "2026-01-02T00:00:00.000Z"))
        self.assertEqual((hit.details["used_usd"], hit.details["requested_usd"]), ("10.00", "2.50"))
        outer = RuntimeError("the batch failed")
        outer.__cause__ = hit
        self.assertIs(keybrake.as_cap_hit(outer), hit)

    def test_what_is_no_cap_hit_is_none(self):
        repeated = Exception(SENTENCE)
        repeated.code = 21211
        denied = Exception("Keybrake: no")
        denied.json_body = {"keybrake": {"code": "endpoint_denied"}}
        for error in [None, Exception("Too many requests"), repeated, denied]:
            self.assertIsNone(keybrake.as_cap_hit(error))


if __name__ == "__main__":
    unittest.main()
