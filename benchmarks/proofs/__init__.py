"""What the product promises while everything fails, tried out: `make proofs`; the figures stand in docs/reliability.md."""
