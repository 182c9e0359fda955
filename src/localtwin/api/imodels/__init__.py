"""The iModels API."""
