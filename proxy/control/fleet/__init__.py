"""What instances that share a store exchange: membership, overrides, windows, differences."""
