#!/usr/bin/env bash
# Starts one execution of the job with a key of its own: ./start.sh RUN. For Cloud Build, a workflow or a workstation.
set -euo pipefail

label=cloud-run/$1
issued=$(curl --silent --show-error --fail-with-body "$KEYBRAKE_URL/vault/keys" \
  -H "Authorization: Bearer $KEYBRAKE_API_KEY" -H 'Content-Type: application/json' -H "Idempotency-Key: $label" \
  -d "{\"template\": \"billing\", \"agent_run_label\": \"$label\", \"daily_usd_cap\": 150, \"expires_in\": \"1h\"}")
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$issued"; }
key=$(field vault_key) id=$(field id)
revoke() {
  curl --silent --show-error --fail-with-body --output /dev/null -X DELETE "$KEYBRAKE_URL/vault/keys/$id" \
    -H "Authorization: Bearer $KEYBRAKE_API_KEY"
}
trap revoke EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The tasks share the key, and with it the cap. The control token stays here.
gcloud run jobs execute billing --wait \
  --update-env-vars="RUN=$label,VAULT_KEY=$key,STRIPE_BASE=$KEYBRAKE_URL/stripe" &
# Waited for, so that a signal is seen at once and not when gcloud has ended.
wait "$!"
