"""Programs for developers: pages and tables made from the code. Nothing here is in the product."""
