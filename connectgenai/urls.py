"""The site's addresses."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from cache_admin import views

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("admin/", admin.site.urls),
]
