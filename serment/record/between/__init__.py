"""What waits between people: pointers, requests, questions, results to read, lists of records."""
