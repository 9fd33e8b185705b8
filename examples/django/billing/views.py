"""A key for each request: revoked before the answer leaves, also where the view fails."""

import json

import keybrake
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from .charging import charge_all


@require_POST
def run(request: HttpRequest, run_id: str) -> JsonResponse:
    body = json.loads(request.body)
    with keybrake.vault_key(template="billing", label=f"run/{run_id}", daily_usd_cap=body["budget_usd"]) as key:
        return JsonResponse({"charged": charge_all(key, body["customers"])})
