"""What care asks beside reading: emergencies, declared acts, why not, what the law has declared."""
