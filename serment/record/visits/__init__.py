"""A visit: the appointment, the note being written, one save, changes that wait for a second professional."""
