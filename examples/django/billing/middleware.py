"""Says of a cap hit what it is, in place of Django's page for errors."""

from collections.abc import Callable

import keybrake
from django.http import HttpRequest, HttpResponse, JsonResponse


class CapHits:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, keybrake.CapHit):
            return None
        # Not 429 and not 5xx: clients and load balancers send those again.
        return JsonResponse({"stopped_by": error.budget, "message": error.message}, status=402)
