"""What a program does with the client that openapi-python-client generated from the server's own document.

Run by test/python/api/api.ts beside the generated package `client`; prints what happened as JSON.
"""

import json
import sys
import urllib.error
import urllib.request

from client import AuthenticatedClient
from client.api.audit import list_audit
from client.api.brake import engage_brake, release_brake
from client.api.vault_keys import issue_key, list_keys, revoke_key, show_self, update_key
from client.models import EngageBrake, IssueKey, IssueKeyMetadata, Problem, ReleaseBrake, UpdateKey
from client.models import ListKeysActive

BASE, ADMIN, AUDITOR = sys.argv[1:4]


def client_of(token):
    return AuthenticatedClient(base_url=BASE, token=token)


def problem_of(response):
    assert isinstance(response.parsed, Problem), response
    return {"status": int(response.status_code), "code": response.parsed.error.code.value}


operator = client_of(ADMIN)
said = {}
metadata = IssueKeyMetadata()
metadata["agent_id"] = "billing_agent"
issued = issue_key.sync(
    client=operator,
    body=IssueKey(
        vendor="stripe",
        daily_usd_cap="500.00",
        allowed_endpoints=["POST /v1/payment_intents"],
        expires_in="2h",
        agent_run_label="clients/python",
        metadata=metadata,
    ),
)
said["issued"] = issued.id

page = list_keys.sync(client=operator, label="clients/python", active=ListKeysActive.TRUE)
said["listed"] = [key.id for key in page.keys]
said["next"] = page.next_cursor

agent = client_of(issued.vault_key)
itself = show_self.sync(client=agent)
said["self"] = [itself.key_id, [budget.remaining for budget in itself.spend.budgets]]
said["agent may not list"] = problem_of(list_keys.sync_detailed(client=agent))

updated = update_key.sync(issued.id, client=operator, body=UpdateKey(daily_usd_cap=250, expires_in="30m"))
said["updated"] = updated.policy.daily_usd_cap


class Misspelt(UpdateKey):
    def to_dict(self):
        return {"daily_usd_capp": 1}


said["misspelt"] = problem_of(update_key.sync_detailed(issued.id, client=operator, body=Misspelt()))

said["braked"] = engage_brake.sync(client=operator, body=EngageBrake(label_prefix="clients/", reason="a drill")).label_prefix
call = urllib.request.Request(
    f"{issued.base_url}/v1/payment_intents",
    data=b"amount=500&currency=usd",
    headers={"Authorization": f"Bearer {issued.vault_key}"},
)
try:
    said["call"] = urllib.request.urlopen(call).status
except urllib.error.HTTPError as refused:
    said["call"] = refused.code
said["released"] = len(release_brake.sync(client=operator, body=ReleaseBrake(label_prefix="clients/")).released)

rows = list_audit.sync(client=client_of(AUDITOR), key_id=issued.id).rows
said["audit"] = [[row.policy_verdict.value, row.state.value] for row in rows]
said["auditor may not revoke"] = problem_of(revoke_key.sync_detailed(issued.id, client=client_of(AUDITOR)))

said["revoked"] = revoke_key.sync(issued.id, client=operator, reason="done").revoked
said["again"] = revoke_key.sync(issued.id, client=operator).already_revoked
print(json.dumps(said))
