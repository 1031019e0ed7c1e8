"""What a machine's own processes run: this folder is first on their module path."""
