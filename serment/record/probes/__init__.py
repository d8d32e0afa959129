"""What is watched: three probes, the machine around the store, who was trained."""
