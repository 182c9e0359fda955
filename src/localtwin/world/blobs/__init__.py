"""Block blobs behind the upload and download URLs."""
