"""What every list of rows says about itself."""
