"""iModels, their changesets and named versions."""
