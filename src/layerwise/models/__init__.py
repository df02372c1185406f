"""What a network is: pure torch modules, each beside its configuration."""
