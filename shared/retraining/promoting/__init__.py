"""What serves: promoted with proof, rolled back, approved by a person."""
