"""What every door shares: from the headers of a request to an `Asking`."""
