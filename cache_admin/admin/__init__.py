"""The supervisors' site."""
