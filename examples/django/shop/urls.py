from billing.views import run
from django.urls import path

urlpatterns = [path("runs/<str:run_id>", run)]
