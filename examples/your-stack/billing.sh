#!/usr/bin/env bash
# Charges the customers of one run: ./billing.sh LABEL CUSTOMER…. Any stack does these three things.
set -euo pipefail

label=$1
shift

# 1. Issue a key when the run starts. The label as Idempotency-Key: a start that is repeated gets the same key.
issued=$(curl --silent --show-error --fail-with-body "$KEYBRAKE_URL/vault/keys" \
  -H "Authorization: Bearer $KEYBRAKE_API_KEY" -H 'Content-Type: application/json' -H "Idempotency-Key: $label" \
  -d "{\"template\": \"billing\", \"agent_run_label\": \"$label\", \"daily_usd_cap\": 150}")
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$issued"; }
key=$(field vault_key) id=$(field id)

# 3. Revoke it when the run ends, however it ends.
revoke() {
  curl --silent --show-error --fail-with-body --output /dev/null -X DELETE "$KEYBRAKE_URL/vault/keys/$id" \
    -H "Authorization: Bearer $KEYBRAKE_API_KEY"
}
trap revoke EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# 2. Call the vendor with that key, at Keybrake's address. Each item has an idempotency key that a repeat would have, too.
# A cap hit is final; 409, 503 and a 429 without X-Keybrake-Cap-Hit are worth another attempt.
headers=$(mktemp)
for customer in "$@"; do
  for attempt in 1 2 3; do
    status=$(curl --silent --show-error --output /dev/null --dump-header "$headers" --write-out '%{http_code}' \
      "$KEYBRAKE_URL/stripe/v1/payment_intents" \
      -H "Authorization: Bearer $key" -H "Idempotency-Key: $label-$customer" \
      -d amount=2999 -d currency=usd -d "customer=$customer" -d confirm=true -d payment_method=pm_card_visa)
    if [ "$status" = 200 ]; then
      echo "charged $customer"
      break
    elif grep --quiet --ignore-case '^x-keybrake-cap-hit: true' "$headers"; then
      echo "stopped by the cap at $customer"
      exit 0
    elif [ "$attempt" = 3 ] || [[ ! "$status" =~ ^(409|429|5..)$ ]]; then
      echo "$customer: $status" >&2
      exit 1
    fi
    sleep "$attempt"
  done
done
