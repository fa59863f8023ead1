"""Amazon Bedrock's runtime API on a laptop: its HTTP shape, its faults, and an honest offline model behind it."""
