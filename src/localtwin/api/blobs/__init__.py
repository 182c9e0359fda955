"""The blob endpoint behind upload and download URLs."""
