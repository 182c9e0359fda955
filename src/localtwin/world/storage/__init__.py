"""Storage: folders and files of each iTwin, and the recycle bin."""
