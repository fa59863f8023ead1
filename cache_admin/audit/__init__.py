"""The audit trail: one keyed chain of entries about who decided what, and the ways to take a decision back."""
