"""What runs in Azure, and the checks that need no Azure."""
