"""What an import takes in, and what it could not file."""
