"""The design that everybody builds first, after the community post of September 2024 on slow answers in Amazon Connect.

A Producer Lambda notes the question in DynamoDB and sends it to SQS; a worker asks the model and stores the whole answer at
the end; a Consumer Lambda looks once, and when nothing is there it sleeps for the interval and lets the flow say a wait
prompt. It speaks our flow contract, so that the same caller can call both. It is kept as plain as it is built: nothing is
slowed down, and nothing made better.
"""
