"""Approval: which texts every caller may hear, who decides so, and until when."""
