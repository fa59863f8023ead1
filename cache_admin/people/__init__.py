"""Who people are, how they come in, and what they may see."""
