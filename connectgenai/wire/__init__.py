"""What travels between the Lambdas, the workers and the admin: standard library and boto3 only."""
