"""The demonstration: invented people, the store made of them, and the thieves who try it."""
