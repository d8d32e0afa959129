"""What leaves a record for one person: papers, links that open once, the seal, a copy of everything."""
