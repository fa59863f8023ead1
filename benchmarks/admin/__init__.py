"""Every page of the admin over a million answers and a million calls, on SQLite and on PostgreSQL."""
