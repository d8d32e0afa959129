"""Who is signed in: sessions, their ends, what a browser carries, what is tried too often."""
